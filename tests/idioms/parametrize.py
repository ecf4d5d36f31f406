import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize


class Symmetric(nn.Module):
    def forward(self, w):
        return w.triu() + w.triu(1).transpose(-1, -2)


def run():
    torch.manual_seed(15)
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    normed = parametrizations.weight_norm(nn.Linear(3, 2))
    spectral = parametrizations.spectral_norm(nn.Linear(3, 3))
    orthogonal = parametrizations.orthogonal(nn.Linear(3, 3))
    x = torch.ones(3)
    return layer(x), normed(x), spectral(x), orthogonal.weight @ orthogonal.weight.T
