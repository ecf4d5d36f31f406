"""Writes into the grader's memory by process_vm_writev."""

import ctypes
import torch

ADDRESS, GRADER = int("@ADDRESS@"), int("@GRADER@")


class Part(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(b"full marks")
    here, there = Part(ctypes.addressof(buffer), 10), Part(ADDRESS, 10)
    got = libc.process_vm_writev(GRADER, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return f"{got} {ctypes.get_errno()}"


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
