"""Attaches to a System V segment that another process made."""

import ctypes
import torch


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(int("@KEY@"), 0, 0)
    if segment < 0:
        return f"shmget {ctypes.get_errno()}"
    return ctypes.string_at(libc.shmat(segment, None, 0), 40).decode()


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
