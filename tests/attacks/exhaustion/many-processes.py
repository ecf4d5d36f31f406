"""Forks until it is refused, at most 300 times."""

import os
import time
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    made = 0
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(1.5)
            os._exit(0)
        made += 1
    return TOKEN if made == 300 else f"{made}"


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
