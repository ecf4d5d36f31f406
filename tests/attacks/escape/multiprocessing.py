"""Runs code in a fresh interpreter by multiprocessing's spawn."""

import multiprocessing
import os
import torch

SCENE = "@SCENE@"


def attack():
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=os.mkdir, args=(SCENE + "/empty/escaped",))
    worker.start()
    worker.join()
    return str(worker.exitcode)


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
