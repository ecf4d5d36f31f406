import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.heads = n_heads
        self.lin_Q = nn.Linear(d_model, d_model)
        self.lin_K = nn.Linear(d_model, d_model)
        self.lin_V = nn.Linear(d_model, d_model)
        self.lin_O = nn.Linear(d_model, d_model)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, -1).transpose(1, 2)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.split(self.lin_Q(query)), self.split(self.lin_K(key)), self.split(self.lin_V(value))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        if mask is not None:
            scores = scores.masked_fill(mask == 0, -math.inf)
        weights = torch.nan_to_num(scores.softmax(dim=-1))
        out = (weights @ v).transpose(1, 2).flatten(2)
        return self.lin_O(out), weights
