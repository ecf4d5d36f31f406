"""Asks for a file's size, which tells what it can't read."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    return f"SIZE-{os.stat(SCENE + '/home/sized').st_size}"


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
