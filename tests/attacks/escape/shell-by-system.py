"""Runs a shell by system(3), past subprocess."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    return str(os.system(f"echo out > {SCENE}/empty/escaped"))


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
