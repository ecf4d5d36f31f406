"""Sends what ends a command at the terminal to its parent."""

import os
import signal
import torch


def attack():
    os.kill(os.getppid(), signal.SIGINT)
    os.kill(os.getppid(), signal.SIGHUP)
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
