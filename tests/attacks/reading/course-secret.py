"""Reads the secret that hidden inputs are drawn from."""

import io
import torch

SCENE = "@SCENE@"


def attack():
    return io.FileIO(SCENE + "/course/.grader-secret").read().decode()


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
