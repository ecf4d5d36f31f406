"""Catches whatever is raised to stop it, and goes on."""

import time
import torch

STAYS = int("@STAYS@")


def attack():
    until = time.monotonic() + STAYS
    while time.monotonic() < until:
        try:
            time.sleep(until - time.monotonic())
        except BaseException:
            continue
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
