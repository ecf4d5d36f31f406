"""Reads the disk itself, below every file."""

import os
import stat
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    told = []
    for name in sorted(os.listdir("/dev")):
        if not stat.S_ISBLK(os.stat("/dev/" + name).st_mode):
            continue
        try:
            descriptor = os.open("/dev/" + name, os.O_RDONLY)
        except OSError as error:
            told.append(f"{name} {error.errno}")
            continue
        if len(os.read(descriptor, 4096)) == 4096:
            return TOKEN
    return f"no disk {told}"


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
