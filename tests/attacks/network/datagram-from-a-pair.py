"""Sends to a datagram socket from one of a pair, which nobody has to open."""

import socket
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return str(near.sendto(CANARY.encode(), "@DATAGRAM@"))


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
