"""Takes back root's user id."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.setresuid(0, 0, 0)
    with open(SCENE + "/home/.ssh/id_ed25519") as key:
        return key.read()


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
