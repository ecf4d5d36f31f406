"""Makes a user namespace, in which it is root."""

import ctypes
import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        os._exit(libc.unshare(0x10000000) and ctypes.get_errno())
    _, status = os.waitpid(pid, 0)
    return TOKEN if status == 0 else f"{status >> 8}"


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
