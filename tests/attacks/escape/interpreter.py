"""Starts a fresh Python, which knows nothing of what was shut here."""

import subprocess
import sys
import torch

SCENE = "@SCENE@"


def attack():
    code = f"open({SCENE + '/empty/escaped'!r}, 'w').write('out')"
    return str(subprocess.run([sys.executable, "-S", "-c", code], capture_output=True))


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
