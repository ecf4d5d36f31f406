"""Makes a symbolic link in its own folder and reads through it."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.symlink(SCENE + "/home/notes.txt", "linked")
    return open("linked").read()


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
