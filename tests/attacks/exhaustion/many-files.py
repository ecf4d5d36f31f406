"""Makes 20,000 empty files."""

import os
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    for number in range(20_000):
        os.close(os.open(f"file-{number}", os.O_CREAT | os.O_WRONLY))
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
