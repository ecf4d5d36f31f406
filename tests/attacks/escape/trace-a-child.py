"""Traces a child of its own, to make calls in its name."""

import ctypes
import os
import signal
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        os._exit(libc.ptrace(0, 0, 0, 0) and 1)
    _, status = os.waitpid(pid, 0)
    return TOKEN if status == 0 else f"{status}"


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
