"""Watches a folder for what others do in it."""

import ctypes
import os
import torch

SCENE = "@SCENE@"
TOKEN = "@TOKEN@"[::-1]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    told = libc.inotify_add_watch(watch, (SCENE + "/submissions/ada").encode(), 0x20)
    open(SCENE + "/submissions/ada/tiny.py").close()
    return TOKEN if told > 0 and os.read(watch, 400) else f"{told} {ctypes.get_errno()}"


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
