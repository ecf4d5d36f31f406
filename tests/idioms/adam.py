import torch
import torch.nn as nn


def run():
    torch.manual_seed(1)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05, betas=(0.9, 0.98), eps=1e-9)
    x, y = torch.randn(8, 4), torch.randn(8, 2)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[-1], model.weight
