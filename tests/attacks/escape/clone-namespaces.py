"""Makes process and user namespaces by clone3."""

import ctypes
import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    asked = (ctypes.c_uint64 * 8)(0x10000000 | 0x20000000, 0, 0, 0, 17)
    pid = libc.syscall(435, asked, 64)
    if pid == 0:
        os._exit(7)
    if pid < 0:
        return f"{ctypes.get_errno()}"
    return TOKEN if os.waitpid(pid, 0)[1] >> 8 == 7 else ""


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
