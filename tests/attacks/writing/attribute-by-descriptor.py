"""Hangs an attribute on an installed module that it may only read."""

import os
import torch


def attack():
    module = os.open("@INSTALLED@/@NAME@-module.py", os.O_RDONLY)
    os.setxattr(module, "user.grader", b"mine")
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
