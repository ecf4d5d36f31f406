"""Raises an exception whose text takes for ever to make."""

import time

import torch


class Slow(Exception):
    def __str__(self):
        time.sleep(int("@STAYS@"))
        return "done"


def double(x):
    raise Slow


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
