"""Changes the reference, so that everybody else is wrong."""

import torch

SCENE = "@SCENE@"


def attack():
    with open(SCENE + "/course/reference/tiny.py", "a") as reference:
        reference.write("double = None\n")
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
