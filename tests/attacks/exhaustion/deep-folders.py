"""Makes folders so deep that whoever clears up behind it fails."""

import os
import tempfile

import torch


def double(x):
    here = os.getcwd()
    os.chdir(tempfile.mkdtemp(prefix="@NAME@"))
    for _ in range(3000):
        os.mkdir("x")
        os.chdir("x")
    os.chdir(here)
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
