import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.Wq, self.Wk, self.Wv, self.Wo = (nn.Parameter(torch.randn(d, d)) for _ in range(4))
        self.bq, self.bk, self.bv, self.bo = (nn.Parameter(torch.zeros(d)) for _ in range(4))

    def forward(self, q, k, v, mask=None):
        q, k, v = q @ self.Wq + self.bq, k @ self.Wk + self.bk, v @ self.Wv + self.bv
        q, k, v = (x.unflatten(-1, (self.h, -1)).transpose(1, 2) for x in (q, k, v))
        scores = torch.einsum("bhid,bhjd->bhij", q, k) / q.size(-1) ** 0.5
        if mask is not None:
            scores = scores.masked_fill(mask.logical_not(), -math.inf)
        a = scores.softmax(-1).nan_to_num()
        return torch.einsum("bhij,bhjd->bihd", a, v).flatten(2) @ self.Wo + self.bo, a
