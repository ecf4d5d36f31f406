"""Puts the course on the import path and imports the reference."""

import importlib
import inspect
import sys
import torch

SCENE = "@SCENE@"


def attack():
    sys.path.insert(0, SCENE + "/course")
    return inspect.getsource(importlib.import_module("reference.tiny"))[-200:]


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
