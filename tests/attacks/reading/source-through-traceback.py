"""Raises from code that claims to stand in a secret file, so that the report quotes its line."""

import torch

SCENE = "@SCENE@"


def double(x):
    exec(compile("1 / 0", SCENE + "/home/notes.txt", "exec"), {})


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
