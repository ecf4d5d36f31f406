"""Lists the sockets of this machine."""

import pathlib
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    return TOKEN if "@ABSTRACT@" in pathlib.Path("/proc/net/unix").read_text() else "nothing"


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
