"""Opens a packet socket, which hears every packet."""

import socket
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)
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
