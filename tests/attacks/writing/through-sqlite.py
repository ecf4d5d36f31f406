"""Writes a file from within a database library."""

import sqlite3
import torch

SCENE = "@SCENE@"


def attack():
    made = sqlite3.connect(SCENE + "/home/mine.db")
    made.execute("create table told (what text)")
    made.commit()
    return "written"


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
