"""Copies a program into memory that has no name and runs it from there."""

import os
import torch

SCENE = "@SCENE@"


def attack():
    memory = os.memfd_create("mine", 0)
    with open("/usr/bin/touch", "rb") as program:
        os.write(memory, program.read())
    pid = os.fork()
    if pid == 0:
        os.execve(memory, ["touch", SCENE + "/empty/escaped"], {})
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
