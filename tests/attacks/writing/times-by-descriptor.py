"""Changes an installed module's times, a message to whoever may look at them."""

import os
import torch


def attack():
    os.utime(os.open("@INSTALLED@/@NAME@-module.py", os.O_RDONLY), (1, 1))
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
