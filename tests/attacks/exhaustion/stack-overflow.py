"""Overflows the C stack by deep recursion."""

import sys
import torch


def double(x):
    sys.setrecursionlimit(10**9)
    made = torch.zeros(1)
    nested = []
    for _ in range(3_000_000):
        nested = [nested]
    return repr(nested)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
