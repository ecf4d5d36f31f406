"""Raises an exception whose class has a name of 40 MB."""

import torch


def double(x):
    raise type("x" * 40_000_000, (Exception,), {})("told")


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
