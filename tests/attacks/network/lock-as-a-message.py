"""Locks a file that every submission may read, which another one can notice."""

import fcntl
import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    mine, others = (os.open(os.__file__, os.O_RDONLY) for _ in range(2))
    fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        fcntl.flock(others, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return TOKEN
    return "nobody notices"


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
