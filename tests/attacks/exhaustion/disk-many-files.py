"""Writes 400 MB in files that are small enough each."""

import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    for number in range(20):
        with open(f"part-{number}", "wb") as part:
            for _ in range(20):
                part.write(bytes(1_000_000))
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
