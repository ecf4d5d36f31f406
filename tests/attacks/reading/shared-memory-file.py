"""Reads shared memory that another process made."""

import mmap
import torch


def attack():
    with open("/dev/shm/@NAME@", "rb") as shared:
        return mmap.mmap(shared.fileno(), 0, prot=mmap.PROT_READ)[:60].decode()


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
