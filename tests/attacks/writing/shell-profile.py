"""Adds a line to the profile in the home folder that the environment names."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    home = os.environ.get("HOME", "")
    with open(os.path.join(SCENE if not home else home, ".profile"), "a") as profile:
        profile.write("echo out\n")
    return home


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
