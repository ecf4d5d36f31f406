"""Prints 40 MB."""

import sys
import torch


def attack():
    for _ in range(400):
        sys.stdout.write("x" * 100_000)
    sys.stdout.flush()
    return "done"


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
