"""Changes the mode of an installed module that it may only read, by its descriptor."""

import os
import torch


def attack():
    os.fchmod(os.open("@INSTALLED@/@NAME@-module.py", os.O_RDONLY), 0o777)
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
