"""Returns complex numbers."""

import torch


def double(x):
    return torch.complex(x * 2, x)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
