"""Writes a program into its own folder, makes it executable and runs it."""

import os
import shutil
import torch

SCENE = "@SCENE@"


def attack():
    shutil.copy("/usr/bin/touch", "mine")
    os.chmod("mine", 0o755)
    pid = os.fork()
    if pid == 0:
        os.execv("./mine", ["mine", SCENE + "/empty/escaped"])
    return str(os.waitpid(pid, 0))


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
