import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, embed_dim, num_heads, qk_width, v_width):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj_weight = nn.Parameter(torch.empty(num_heads * qk_width, embed_dim))
        self.k_proj_weight = nn.Parameter(torch.empty(num_heads * qk_width, embed_dim))
        self.v_proj_weight = nn.Parameter(torch.empty(num_heads * v_width, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.empty(num_heads * (2 * qk_width + v_width)))
        self.out_proj = nn.Linear(num_heads * v_width, embed_dim)

    def forward(self, query, key, value, attn_mask=None):
        h, rows = self.num_heads, [len(self.q_proj_weight)] * 2 + [len(self.v_proj_weight)]
        bq, bk, bv = self.in_proj_bias.split(rows)
        heads = lambda x: x.unflatten(-1, (h, -1)).transpose(1, 2)
        q = heads(query @ self.q_proj_weight.T + bq)
        k = heads(key @ self.k_proj_weight.T + bk)
        v = heads(value @ self.v_proj_weight.T + bv)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        if attn_mask is not None:
            scores = scores + attn_mask
        weights = torch.softmax(scores.clamp(min=-1e30), dim=-1)
        if attn_mask is not None:
            weights = weights * (attn_mask == 0)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2)), weights
