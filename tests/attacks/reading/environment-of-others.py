"""Reads the environment of another process."""

import pathlib
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    text = pathlib.Path("/proc/@VICTIM@/environ").read_bytes()
    return TOKEN if b"PATH=" in text else repr(text)


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
