import torch
from torch import nn


def run():
    torch.manual_seed(18)
    model = nn.Linear(4, 4)
    with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=False):
        plain = model(torch.ones(2, 4))
    with torch.autocast("cpu"):
        inside = torch.is_autocast_enabled("cpu")
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    loss = scaler.scale(plain.sum())
    return plain, inside, loss
