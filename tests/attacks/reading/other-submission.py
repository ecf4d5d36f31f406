"""Reads what somebody else handed in."""

import glob
import torch

SCENE = "@SCENE@"


def attack():
    found = glob.glob(SCENE + "/submissions/*/tiny.py")
    return open(found[0]).read()[:200]


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
