"""Moves the results folder away."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.rename(SCENE + "/results", SCENE + "/elsewhere")
    return "moved"


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
