"""Backdates a file, past every deadline."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.utime(SCENE + "/submissions/ada/tiny.py", (1, 1))
    return "changed"


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
