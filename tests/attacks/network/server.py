"""Opens a port and waits for somebody to fetch what it knows."""

import socket
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
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
