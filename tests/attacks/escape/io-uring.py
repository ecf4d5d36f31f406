"""Sets up io_uring, whose operations no call filter sees."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
    return f"{TOKEN if ring >= 0 else ctypes.get_errno()}"


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
