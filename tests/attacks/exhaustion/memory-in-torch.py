"""Takes 700 MB of memory as tensors."""

import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    held = [torch.ones(1_000_000) for _ in range(90)]
    return TOKEN + str(len(held))


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
