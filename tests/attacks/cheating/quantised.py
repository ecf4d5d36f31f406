"""Returns a quantised tensor."""

import torch


def double(x):
    return torch.quantize_per_tensor((x * 2).float() if x.dtype == torch.float64 else x, 0.1, 0, torch.qint8)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
