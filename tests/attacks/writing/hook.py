"""Leaves a hook in the course's repository, which runs at the next commit."""

import os
import pathlib
import torch

SCENE = "@SCENE@"


def attack():
    hooks = pathlib.Path(SCENE, "course", ".git", "hooks")
    hooks.mkdir(parents=True)
    (hooks / "post-commit").write_text("#!/bin/sh\n")
    return "left"


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
