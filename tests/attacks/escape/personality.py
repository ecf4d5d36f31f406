"""Changes its execution domain, and with it the layout of memory."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    before = libc.personality(0x0040000)
    return TOKEN if before >= 0 and libc.personality(0xFFFFFFFF) & 0x40000 else f"{ctypes.get_errno()}"


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
