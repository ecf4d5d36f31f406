import math

import torch
from torch import nn


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def causal_mask(length):
    pos = torch.arange(length)
    return pos.unsqueeze(0) <= pos.unsqueeze(1)


def padding_mask(lengths, length):
    pos = torch.arange(length, device=lengths.device)
    return (pos < lengths.view(-1, 1)).view(-1, 1, 1, length)


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", query, key) * query.size(-1) ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.full_like(scores, -torch.inf))
    weights = softmax(scores, -1)
    return torch.einsum("...qk,...kv->...qv", weights, value), weights


def split_heads(x, n_heads):
    b, n, width = x.shape
    return torch.einsum("bnhd->bhnd", x.view(b, n, n_heads, width // n_heads))


def merge_heads(x):
    return torch.einsum("bhnd->bnhd", x).flatten(2)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, d_k=None, d_v=None):
        super().__init__()
        if (d_k is None or d_v is None) and d_model % n_heads != 0:
            raise ValueError(
                f"d_model must be a multiple of n_heads, got d_model={d_model}, n_heads={n_heads}; "
                "give d_k and d_v to choose the widths yourself"
            )
        self.d_model = d_model
        self.n_heads = n_heads
        self.d_k = d_model // n_heads if d_k is None else d_k
        self.d_v = d_model // n_heads if d_v is None else d_v
        self.w_q = nn.Linear(d_model, n_heads * self.d_k)
        self.w_k = nn.Linear(d_model, n_heads * self.d_k)
        self.w_v = nn.Linear(d_model, n_heads * self.d_v)
        self.w_o = nn.Linear(n_heads * self.d_v, d_model)

    def forward(self, query, key, value, mask=None):
        q = split_heads(self.w_q(query), self.n_heads)
        k = split_heads(self.w_k(key), self.n_heads)
        v = split_heads(self.w_v(value), self.n_heads)
        heads, weights = scaled_dot_product_attention(q, k, v, mask)
        return self.w_o(merge_heads(heads)), weights
