import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x, mask=None):
        b, t, _ = x.shape
        q, k, v = (p.view(b, t, self.heads, -1).transpose(1, 2) for p in self.to_qkv(x).chunk(3, dim=-1))
        scores = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        weights = scores.softmax(dim=-1)
        return self.to_out((weights @ v).transpose(1, 2).reshape(b, t, -1)), weights
