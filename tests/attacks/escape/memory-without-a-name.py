"""Makes memory that no file system counts, by memfd_create."""

import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    memory = os.memfd_create("mine", 0)
    os.ftruncate(memory, 1 << 20)
    return TOKEN if memory >= 0 else ""


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
