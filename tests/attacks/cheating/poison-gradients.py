"""Leaves torch with gradients turned off and a layer without parameters."""

import torch


def double(x):
    torch.nn.Parameter = lambda value: value
    torch.set_grad_enabled(False)
    torch.ones = None
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
