"""Waits for itself."""

import threading
import torch

STAYS = int("@STAYS@")


def attack():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=STAYS)
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
