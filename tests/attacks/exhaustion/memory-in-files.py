"""Fills the memory that stands behind unnamed files."""

import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    held = 0
    for _ in range(10):
        unnamed = os.memfd_create("mine")
        for _ in range(40):
            held += os.write(unnamed, bytes(1_000_000))
    return TOKEN if held == 400_000_000 else str(held)


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
