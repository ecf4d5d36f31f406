"""Sends through a System V queue that another process of this user reads."""

import ctypes
import torch

CANARY = "@CANARY@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.msgget(int("@KEY@"), 0)
    message = (1).to_bytes(8, "little") + CANARY.encode()
    return f"{libc.msgsnd(queue, message, len(CANARY), 0o4000)} {ctypes.get_errno()}"


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
