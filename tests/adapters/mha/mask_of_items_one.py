import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.h = n_heads
        self.w_q, self.w_k, self.w_v, self.w_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        heads = lambda x: x.unflatten(-1, (self.h, -1)).transpose(1, 2)
        q, k, v = heads(self.w_q(query)), heads(self.w_k(key)), heads(self.w_v(value))
        scores = q @ k.mT / math.sqrt(q.size(-1))
        b, h, n, m = scores.shape
        if mask is not None:
            scores = scores.masked_fill(mask.view(b, 1, m).unsqueeze(1).expand(b, h, n, m), -math.inf)
        weights = scores.softmax(dim=-1)
        return self.w_o((weights @ v).transpose(1, 2).flatten(2)), weights
