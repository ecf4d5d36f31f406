"""Connects to an abstract socket, which no file permission guards."""

import socket
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    line = socket.socket(socket.AF_UNIX)
    line.connect("\0@ABSTRACT@")
    return str(line.send(CANARY.encode()))


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
