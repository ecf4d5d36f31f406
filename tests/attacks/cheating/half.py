"""Returns integers, so that the comparison is between two kinds."""

import torch


def double(x):
    return (x * 2).to(torch.int64)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
