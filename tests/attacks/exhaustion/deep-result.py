"""Returns lists in lists, 100,000 deep."""

import torch


def double(x):
    made = []
    for _ in range(100_000):
        made = [made]
    return made


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
