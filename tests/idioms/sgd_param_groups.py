import torch
from torch import nn, optim


def run():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    optimizer = optim.SGD(
        [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters()}],
        lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-3,
    )
    for step in range(5):
        loss = model(torch.randn(6, 3)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return loss, len(optimizer.state_dict()["param_groups"])
