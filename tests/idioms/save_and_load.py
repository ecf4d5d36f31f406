import os

import torch
from torch import nn


def run():
    torch.manual_seed(4)
    model = nn.LSTM(2, 3)
    torch.save({"model": model.state_dict(), "epoch": 3}, "checkpoint.pt")
    found = os.path.exists("checkpoint.pt") and os.path.getsize("checkpoint.pt") > 0
    other = nn.LSTM(2, 3)
    checkpoint = torch.load("checkpoint.pt", map_location="cpu", weights_only=True)
    other.load_state_dict(checkpoint["model"])
    os.remove("checkpoint.pt")
    return other.weight_hh_l0, checkpoint["epoch"], found
