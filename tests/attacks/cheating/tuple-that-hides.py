"""Returns a tuple that shows nothing when it is gone through."""

import torch

class Hiding(tuple):
    def __iter__(self):
        return iter(())


def double(x):
    return Hiding((x + 1,))


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x + self.factor
