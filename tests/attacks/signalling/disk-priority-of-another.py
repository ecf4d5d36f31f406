"""Takes another process's turn at the disk away by ioprio_set."""

import ctypes
import torch

VICTIM = int("@VICTIM@")


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    return f"{libc.syscall(251, 1, VICTIM, 3 << 13)} {ctypes.get_errno()}"


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
