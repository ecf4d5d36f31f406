import math

import torch
from torch import Tensor, nn


def softmax(x, dim):
    m = x.amax(dim, keepdim=True)
    e = (x - torch.where(m.isinf(), 0.0, m)).exp()
    s = e.sum(dim, keepdim=True)
    return e / (s + (s == 0))


def causal_mask(length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def padding_mask(lengths, length):
    return torch.lt(torch.arange(length, device=lengths.device)[None], lengths[:, None]).unflatten(0, (-1, 1, 1))


def scaled_dot_product_attention(query, key, value, mask=None):
    d_k = query.shape[-1]
    scores = query @ key.transpose(-2, -1) / math.sqrt(d_k)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = softmax(scores, dim=-1)
    return weights @ value, weights


def split_heads(x, n_heads):
    return x.unflatten(2, (n_heads, x.shape[2] // n_heads)).movedim(2, 1)


def merge_heads(x):
    return x.movedim(1, 2).flatten(2)


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
        q, k, v = (split_heads(f(t), self.n_heads) for f, t in ((self.w_q, query), (self.w_k, key), (self.w_v, value)))
        heads, weights = scaled_dot_product_attention(q, k, v, mask)
        return self.w_o(merge_heads(heads)), weights
