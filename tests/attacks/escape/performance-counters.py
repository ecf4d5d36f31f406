"""Opens a performance counter."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    asked = ctypes.create_string_buffer(128)
    asked[0:8] = (1).to_bytes(4, "little") + (128).to_bytes(4, "little")
    asked[40:48] = (1 << 5 | 1 << 6).to_bytes(8, "little")
    made = libc.syscall(298, asked, 0, -1, -1, 0)
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
