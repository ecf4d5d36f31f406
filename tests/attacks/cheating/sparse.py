"""Returns a sparse tensor, which the comparison does not know."""

import torch


def double(x):
    return (x * 2).to_sparse()


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
