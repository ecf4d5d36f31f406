"""Writes its own marks into the results."""

import json
import torch

SCENE = "@SCENE@"


def attack():
    with open(SCENE + "/results/grades.json", "w") as grades:
        json.dump({"me": 6}, grades)
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
