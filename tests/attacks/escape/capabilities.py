"""Uses a capability that root has: makes the clock's name its own by sethostname."""

import ctypes
import socket
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.sethostname(b"attacked", 8)
    return TOKEN if done == 0 and socket.gethostname() == "attacked" else f"{ctypes.get_errno()}"


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
