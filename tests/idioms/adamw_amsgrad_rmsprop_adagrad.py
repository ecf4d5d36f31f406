import torch
from torch import nn


def train(make):
    torch.manual_seed(3)
    layer = nn.Linear(3, 3)
    optimizer = make(layer.parameters())
    for _ in range(4):
        optimizer.zero_grad()
        layer(torch.ones(2, 3)).pow(2).sum().backward()
        optimizer.step()
    return layer.weight.detach()


def run():
    return (
        train(lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, amsgrad=True)),
        train(lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True)),
        train(lambda p: torch.optim.Adagrad(p, lr=0.1)),
    )
