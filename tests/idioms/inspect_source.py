import inspect

import torch


def helper(a, b=1, *args, c, **kwargs):
    """Says nothing."""
    return a


class Net(torch.nn.Module):
    def forward(self, x):
        return x


def run():
    signature = inspect.signature(helper)
    source = inspect.getsource(Net.forward)
    return str(signature), source.strip().splitlines()[0], inspect.getdoc(helper), helper.__module__ != ""
