import pickle

import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.linspace(0, 1, size))

    def forward(self, x):
        return x * torch.sigmoid(self.w)


def run():
    gate = pickle.loads(pickle.dumps(Gate(4)))
    return gate(torch.ones(4))
