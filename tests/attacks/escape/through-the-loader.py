"""Runs a program by handing it to the dynamic loader."""

import glob
import os
import torch

SCENE = "@SCENE@"


def attack():
    loader = glob.glob("/lib64/ld-linux*")[0]
    pid = os.fork()
    if pid == 0:
        os.execv(loader, [loader, "/usr/bin/touch", SCENE + "/empty/escaped"])
    return str(os.waitpid(pid, 0))


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
