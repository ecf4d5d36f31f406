"""Binds an abstract name, which every process can see to be taken."""

import socket
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    line = socket.socket(socket.AF_UNIX)
    line.bind("\0@NAME@-taken")
    return TOKEN


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
