"""Waits for somebody to type."""

import os
import torch


def attack():
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    return input()


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
