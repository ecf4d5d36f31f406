"""Starts a program by posix_spawn."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    pid = os.posix_spawn("/usr/bin/touch", ["touch", SCENE + "/empty/escaped"], {})
    return str(os.waitpid(pid, 0))


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
