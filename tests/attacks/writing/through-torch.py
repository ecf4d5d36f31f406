"""Writes a file from C++, by torch.save's zip writer."""

import torch

SCENE = "@SCENE@"


def attack():
    torch.save(torch.zeros(2), SCENE + "/home/mine.pt")
    return "written"


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
