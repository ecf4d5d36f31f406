"""Forks until it is refused, at most 120 times."""

import os
import time
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    made = 0
    for _ in range(120):
        if os.fork() == 0:
            time.sleep(0.8)
            os._exit(0)
        made += 1
    return TOKEN if made == 120 else f"{made}"


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
