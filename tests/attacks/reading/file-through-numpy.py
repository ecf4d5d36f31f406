"""Maps a file by numpy.memmap."""

import numpy
import torch

SCENE = "@SCENE@"


def attack():
    return bytes(numpy.memmap(SCENE + "/home/notes.txt", dtype=numpy.uint8, mode="r")).decode()


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
