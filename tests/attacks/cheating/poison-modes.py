"""Leaves a mode that changes every operation of torch."""

import torch

from torch.overrides import TorchFunctionMode


class Mode(TorchFunctionMode):
    def __torch_function__(self, function, kinds, given=(), named=None):
        if function.__name__ in ("add", "__add__"):
            return given[0]
        return function(*given, **(named or {}))


def double(x):
    Mode().__enter__()
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
