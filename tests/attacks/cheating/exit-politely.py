"""Raises SystemExit(0), which is no Exception."""

import torch


def double(x):
    raise SystemExit(0)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
