"""Runs a shell by popen(3) in the C library."""

import ctypes
import torch

SCENE = "@SCENE@"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.popen.restype = ctypes.c_void_p
    pipe = libc.popen(f"echo out > {SCENE}/empty/escaped".encode(), b"r")
    if not pipe:
        return f"popen {ctypes.get_errno()}"
    return str(libc.pclose(ctypes.c_void_p(pipe)))


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
