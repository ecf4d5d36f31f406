"""Takes a record lock on a file that every submission may read, which another one can notice."""

import fcntl
import os
import struct
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    mine, others = (os.open(os.__file__, os.O_RDONLY) for _ in range(2))
    fcntl.fcntl(mine, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 1, 0))  # F_OFD_SETLK
    noticed = fcntl.fcntl(others, 36, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
    return TOKEN if noticed[:2] == struct.pack("h", fcntl.F_RDLCK) else repr(noticed)


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
