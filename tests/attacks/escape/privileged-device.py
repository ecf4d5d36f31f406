"""Opens the kernel's memory or its log."""

import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    for name in ("/dev/kmsg", "/dev/mem", "/dev/port"):
        try:
            os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        return TOKEN
    return "none"


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
