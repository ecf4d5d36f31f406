import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, d_model, num_heads, d_head):
        super().__init__()
        self.W_Q, self.W_K, self.W_V = (
            nn.Parameter(torch.randn(num_heads, d_model, d_head)) for _ in range(3)
        )
        self.W_O = nn.Parameter(torch.randn(num_heads, d_head, d_model))
        self.b_O = nn.Parameter(torch.zeros(d_model))

    def forward(self, query, key, value, mask=None):
        q = torch.einsum("bqe,hed->bhqd", query, self.W_Q)
        k = torch.einsum("bke,hed->bhkd", key, self.W_K)
        v = torch.einsum("bke,hed->bhkd", value, self.W_V)
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(q.size(-1))
        if mask is not None:
            scores = torch.where(mask, scores, float("-inf"))
        pattern = scores.softmax(-1).nan_to_num()
        return torch.einsum("bhqk,bhkd,hde->bqe", pattern, v, self.W_O) + self.b_O, pattern
