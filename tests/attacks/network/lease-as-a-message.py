"""Takes a lease on a file, and is told when somebody opens it."""

import fcntl
import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    shared = os.open("@INSTALLED@/@NAME@-module.py", os.O_RDONLY)
    fcntl.fcntl(shared, 1024, fcntl.F_RDLCK)  # F_SETLEASE
    return TOKEN


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
