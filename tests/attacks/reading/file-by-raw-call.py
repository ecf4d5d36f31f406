"""Opens a file by openat2, the newest of the calls that open."""

import ctypes
import os
import torch

SCENE = "@SCENE@"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    how = (ctypes.c_uint64 * 3)(0, 0, 0)
    opened = libc.syscall(437, -100, (SCENE + "/home/notes.txt").encode(), ctypes.byref(how), 24)
    return f"{ctypes.get_errno()} {os.read(opened, 60)}"


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
