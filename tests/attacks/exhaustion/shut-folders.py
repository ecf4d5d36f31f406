"""Leaves folders that can't be listed or removed, so that its traces stay."""

import os

import torch


def double(x):
    os.makedirs("@NAME@/inner", exist_ok=True)
    with open("@NAME@/inner/work.txt", "w") as left:
        left.write("mine")
    os.chmod("@NAME@/inner", 0o555 if os.geteuid() else 0o700)
    os.chmod("@NAME@", 0)
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
