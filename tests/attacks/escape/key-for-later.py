"""Leaves a key in the kernel's keyring."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    key = libc.syscall(248, b"user", b"@NAME@-left", b"kept", 4, -4)
    return TOKEN if key >= 0 else f"{ctypes.get_errno()}"


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
