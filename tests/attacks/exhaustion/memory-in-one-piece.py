"""Asks for more memory than there is, in one piece."""

import mmap
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    held = mmap.mmap(-1, 1_000_000_000)
    for at in range(0, len(held), 4096):
        held[at] = 1
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
