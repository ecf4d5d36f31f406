"""Leaves a file in /tmp for the next submission."""

import torch


def attack():
    with open("/tmp/@NAME@-left", "w") as left:
        left.write("mine")
    return "left"


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
