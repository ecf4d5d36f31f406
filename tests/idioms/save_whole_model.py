import io

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)


def run():
    torch.manual_seed(5)
    buffer = io.BytesIO()
    torch.save(Net(), buffer)
    buffer.seek(0)
    model = torch.load(buffer, weights_only=False)
    return model(torch.ones(1, 2)), type(model).__name__
