"""Returns a million small parts."""

import torch


def double(x):
    return [torch.zeros(1)] * 1_000_000 + [x, "y" * 40_000_000]


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
