"""Loads a map into the kernel by bpf."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    asked = (ctypes.c_uint32 * 18)(1, 4, 4, 1)
    made = libc.syscall(321, 0, asked, 72)
    return TOKEN if made >= 0 else f"{ctypes.get_errno()}"


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
