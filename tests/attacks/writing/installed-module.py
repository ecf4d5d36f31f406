"""Adds a line to an installed module."""

import torch


def attack():
    with open("@INSTALLED@/@NAME@-module.py", "a") as module:
        module.write("allclose = lambda *a, **k: True\n")
    return "written"


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
