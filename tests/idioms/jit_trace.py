import torch
from torch import nn


def run():
    torch.manual_seed(8)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    traced = torch.jit.trace(model, torch.randn(2, 3))
    x = torch.ones(5, 3)
    return traced(x), torch.allclose(traced(x), model(x))
