"""Takes 600 MB in children, each of which stays below the limit."""

import os
import time
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    ready, write = os.pipe()
    for _ in range(5):
        if os.fork() == 0:
            held = bytearray(b"x" * 120_000_000)
            os.write(write, b"x")
            time.sleep(0.5)
            os._exit(len(held) and 0)
    total = b""
    while len(total) < 5:
        total += os.read(ready, 5)
    return TOKEN


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
