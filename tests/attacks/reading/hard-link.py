"""Links a secret into its own folder and reads it there."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.link(SCENE + "/home/notes.txt", "mine.txt")
    return open("mine.txt").read()


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
