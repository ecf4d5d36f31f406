"""Stops another process, which then seems to hang."""

import os
import signal
import torch

VICTIM = int("@VICTIM@")


def attack():
    os.kill(VICTIM, signal.SIGSTOP)
    return "done"


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
