"""Mounts a file system over a folder."""

import ctypes
import pathlib
import torch

SCENE = "@SCENE@"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.mount(b"none", (SCENE + "/empty").encode(), b"tmpfs", 0, None)
    if done:
        return f"{ctypes.get_errno()}"
    pathlib.Path(SCENE, "empty", "escaped").write_text("out")
    return "mounted"


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
