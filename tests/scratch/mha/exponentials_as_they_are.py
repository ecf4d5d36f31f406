import math

import torch
from torch import nn


def softmax(x, dim):
    powers = x.exp()
    total = powers.sum(dim, keepdim=True)
    return powers / torch.where(total > 0, total, torch.ones_like(total))


def causal_mask(length):
    allowed = torch.zeros(length, length, dtype=torch.bool)
    for row in range(length):
        allowed[row, : row + 1] = True
    return allowed


def padding_mask(lengths, length):
    rows = [torch.arange(length, device=lengths.device) < n for n in lengths]
    return torch.stack(rows)[:, None, None, :]


def scaled_dot_product_attention(query, key, value, mask=None):
    similarity = (query / math.sqrt(query.shape[-1])) @ key.mT
    if mask is not None:
        similarity = similarity.masked_fill(mask.logical_not(), float("-inf"))
    weights = softmax(similarity, dim=-1)
    return weights @ value, weights


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)


def merge_heads(x):
    return torch.cat(x.unbind(dim=1), dim=-1)


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
        q, k, v = self.w_q(query), self.w_k(key), self.w_v(value)
        outputs, maps = [], []
        if mask is not None:
            mask = mask.expand(len(q), self.n_heads, q.shape[1], k.shape[1])
        for h in range(self.n_heads):
            keys = slice(h * self.d_k, (h + 1) * self.d_k)
            values = slice(h * self.d_v, (h + 1) * self.d_v)
            allowed = None if mask is None else mask[:, h]
            out, attn = scaled_dot_product_attention(
                q[..., keys], k[..., keys], v[..., values], allowed
            )
            outputs.append(out)
            maps.append(attn)
        return self.w_o(torch.cat(outputs, -1)), torch.stack(maps, 1)
