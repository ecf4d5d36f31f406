"""Reads from address zero, which ends the process."""

import ctypes
import torch


def double(x):
    return ctypes.string_at(0)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
