"""Returns an integer of two million digits."""

import torch


def double(x):
    return 10**2_000_000 + 1


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
