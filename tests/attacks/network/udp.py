"""Sends a datagram to a server."""

import socket
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return str(line.sendto(CANARY.encode(), ("127.0.0.1", int("@UDP@"))))


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
