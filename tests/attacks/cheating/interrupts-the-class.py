"""Raises KeyboardInterrupt, as if the instructor had."""

import torch


def double(x):
    raise KeyboardInterrupt


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
