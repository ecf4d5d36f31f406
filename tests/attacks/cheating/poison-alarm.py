"""Leaves an alarm that ends the process during the next submission."""

import signal
import torch


def double(x):
    signal.setitimer(signal.ITIMER_REAL, 0.002)
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
