"""Returns a tensor that claims 8 TB and holds one number."""

import torch


def double(x):
    return torch.zeros(1).expand(1_000_000, 1_000_000)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
