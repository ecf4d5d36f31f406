"""Opens the grader's own open files through /proc, one that has no name any more."""

import pathlib
import torch


def attack():
    return pathlib.Path("/proc/@GRADER@/fd/@DESCRIPTOR@").read_text()


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
