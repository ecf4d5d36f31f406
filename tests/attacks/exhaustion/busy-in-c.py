"""Computes for ever in C, where no exception can be raised."""

import hashlib
import time
import torch

STAYS = int("@STAYS@")


def attack():
    until = time.monotonic() + STAYS
    while time.monotonic() < until:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 5_000_000)
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
