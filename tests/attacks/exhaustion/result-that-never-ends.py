"""Returns a generator without an end."""

import time
import torch


def double(x):
    until = time.monotonic() + int("@STAYS@")
    return iter(lambda: time.monotonic() < until, False)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
