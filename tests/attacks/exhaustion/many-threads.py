"""Starts 1000 threads."""

import threading
import time
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    threading.stack_size(65536)
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(0.3,), daemon=True).start()
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
