"""Makes a message queue that has a name for every process."""

import ctypes
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    rt = ctypes.CDLL("librt.so.1", use_errno=True)
    made = rt.mq_open(b"/@NAME@", 0o102, 0o600, None)
    return TOKEN if made >= 0 else f"{ctypes.get_errno()}"


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
