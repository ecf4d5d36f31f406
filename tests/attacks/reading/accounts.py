"""Reads the accounts of this machine."""

import builtins
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    text = builtins.open("/etc/passwd").read()
    return TOKEN if "root:x:0:0" in text else text


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
