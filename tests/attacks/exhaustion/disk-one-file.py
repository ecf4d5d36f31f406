"""Writes one file of 200 MB."""

import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    with open("large", "wb", buffering=0) as large:
        for _ in range(200):
            large.write(bytes(1_000_000))
    return TOKEN


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
