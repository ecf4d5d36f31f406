"""Connects and sends in one call, TCP Fast Open, past a guard on connect."""

import socket
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return str(line.sendto(CANARY.encode(), 0x20000000, ("127.0.0.1", int("@TCP@"))))


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
