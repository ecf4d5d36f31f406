import copy

import torch
from torch import nn


def clones(module, n):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(n)])


def run():
    torch.manual_seed(6)
    layers = clones(nn.Linear(3, 3), 3)
    x = torch.ones(3)
    for layer in layers:
        x = layer(x)
    return x, layers[0].weight is not layers[1].weight
