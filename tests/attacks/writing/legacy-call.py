"""Makes a file by creat, a call that nobody thinks of."""

import ctypes
import torch

SCENE = "@SCENE@"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.syscall(85, (SCENE + "/empty/escaped").encode(), 0o644)
    return f"{made} {ctypes.get_errno()}"


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
