"""Leaves a thread that acts after the answer was given."""

import os
import threading

import torch


def double(x):
    threading.Timer(0.03, os.mkdir, ("@SCENE@/empty/escaped",)).start()
    return x * 2


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
