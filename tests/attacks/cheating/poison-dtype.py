"""Leaves another default dtype to whoever comes next."""

import torch


def double(x):
    torch.set_default_dtype(torch.float16)
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
