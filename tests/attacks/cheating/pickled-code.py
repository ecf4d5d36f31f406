"""Returns an object that runs code wherever it is unpickled."""

import os
import torch

SCENE = "@SCENE@"


class Loaded:
    def __reduce__(self):
        return os.mkdir, (SCENE + "/empty/unpickled",)


def double(x):
    return Loaded()


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
