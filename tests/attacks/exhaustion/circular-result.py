"""Returns a list that holds itself."""

import torch


def double(x):
    made = [x]
    made.append(made)
    return made


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
