import torch
from torch import nn

CELLS = {}
ACTIVATIONS = {}


def register(name):
    def add(cls):
        CELLS[name] = cls
        return cls

    return add


def activation(function):
    ACTIVATIONS[function.__name__] = function
    return function


@register("plain")
class Plain(nn.Module):
    def forward(self, x):
        return x


@register("twice")
class Twice(nn.Module):
    def forward(self, x):
        return 2 * x


@activation
def swish(x):
    return x * torch.sigmoid(x)


def run():
    return sorted(CELLS), CELLS["twice"]()(torch.ones(2)), ACTIVATIONS["swish"](torch.ones(1))
