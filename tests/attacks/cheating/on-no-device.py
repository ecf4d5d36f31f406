"""Returns a tensor that holds no values, on the meta device."""

import torch


def double(x):
    return torch.empty_like(x, device="meta")


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
