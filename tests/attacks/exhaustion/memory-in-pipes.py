"""Fills 400 pipes, whose memory no limit of its own counts."""

import fcntl
import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    held = 0
    for _ in range(400):
        reading, writing = os.pipe()
        try:
            fcntl.fcntl(writing, 1031, 1 << 20)
        except OSError:
            pass
        os.set_blocking(writing, False)
        held += os.write(writing, bytes(1 << 20))
    return TOKEN if held > 20_000_000 else str(held)


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
