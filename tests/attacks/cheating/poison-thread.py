"""Leaves a thread that changes torch during the next submission."""

import threading
import torch


def double(x):
    threading.Timer(0.01, setattr, (torch, "ones", None)).start()
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
