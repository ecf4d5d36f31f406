"""Installs a module beside torch, for the next submission to import."""

import torch


def attack():
    with open("@INSTALLED@/@NAME@.py", "w") as module:
        module.write("full_marks = True\n")
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
