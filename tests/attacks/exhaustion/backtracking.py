"""Computes for ever in one call, a regular expression that holds the interpreter."""

import re
import time
import torch

STAYS = int("@STAYS@")


def attack():
    until = time.monotonic() + STAYS
    while time.monotonic() < until:
        re.match(r"(a|a)*b", "a" * 22)
    return "done"


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
