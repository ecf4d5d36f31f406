import warnings

import torch
from torch import nn
from torch.nn.utils import remove_weight_norm, weight_norm


def run():
    torch.manual_seed(22)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = weight_norm(nn.Linear(3, 2), name="weight")
        out = layer(torch.ones(3))
        names = sorted(name for name, _ in layer.named_parameters())
        remove_weight_norm(layer)
    return out, names, layer(torch.ones(3))
