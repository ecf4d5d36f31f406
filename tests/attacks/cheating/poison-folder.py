"""Leaves another working folder, mask and environment."""

import os
import sys
import torch


def double(x):
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    del sys.path[:]
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
