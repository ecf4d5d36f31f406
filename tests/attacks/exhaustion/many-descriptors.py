"""Opens files until it is refused."""

import os
import torch

HELD = []


def double(x):
    for _ in range(70_000):
        try:
            HELD.append(os.dup(1))
        except OSError:
            break
    return x * 2 + 0 * len(HELD)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
