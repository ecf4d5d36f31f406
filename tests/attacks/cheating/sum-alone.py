"""Returns one number with the right sum."""

import torch


def double(x):
    return 2 * x.sum()


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
