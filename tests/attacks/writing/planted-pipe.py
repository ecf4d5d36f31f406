"""Puts a pipe into the results, on which whoever reads them waits for ever."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.mkfifo(SCENE + "/results/grades.csv")
    return "planted"


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
