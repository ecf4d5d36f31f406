"""Forks again and again, so that nobody finds the process to kill, and acts later."""

import os
import time
import torch

SCENE = "@SCENE@"


def attack():
    if os.fork() == 0:
        os.setsid()
        until = time.monotonic() + 0.8
        while time.monotonic() < until:
            if os.fork():
                os._exit(0)
            os.setpgid(0, 0)
            time.sleep(0.004)
        os.mkdir(SCENE + "/empty/escaped")
        os._exit(0)
    return "left"


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
