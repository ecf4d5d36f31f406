import math

import torch
from torch import nn


def softmax(x, dim):
    nothing = torch.isneginf(x).all(dim, keepdim=True)
    x = x.masked_fill(nothing, 0)
    x = x - x.amax(dim, keepdim=True).detach()
    p = torch.exp(x)
    return (p / p.sum(dim, keepdim=True)).masked_fill(nothing, 0)


def causal_mask(length):
    return torch.ones(length, length).tril().bool()


def padding_mask(lengths, length):
    steps = torch.ones(len(lengths), length, dtype=torch.int64, device=lengths.device).cumsum(1)
    return (steps <= lengths[:, None]).unsqueeze(1).unsqueeze(1)


def scaled_dot_product_attention(query, key, value, mask=None):
    lead = query.shape[:-2]
    q, k, v = (t.reshape(-1, *t.shape[-2:]) for t in (query, key, value))
    energy = torch.bmm(q, k.permute(0, 2, 1)).div(math.sqrt(q.shape[2]))
    energy = energy.view(*lead, *energy.shape[1:])
    if mask is not None:
        energy = energy + torch.zeros_like(mask, dtype=energy.dtype).masked_fill(~mask, -math.inf)
    attn = softmax(energy, -1)
    out = torch.bmm(attn.reshape(-1, *attn.shape[-2:]), v)
    return out.view(*lead, *out.shape[1:]), attn


def split_heads(x, n_heads):
    batch, length, width = x.shape
    return x.reshape(batch, length, n_heads, width // n_heads).permute(0, 2, 1, 3)


def merge_heads(x):
    batch, heads, length, width = x.shape
    return x.permute(0, 2, 1, 3).reshape(batch, length, heads * width)


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
        fold = lambda t: split_heads(t, self.n_heads).flatten(0, 1)
        batch, queries, keys = len(query), query.shape[1], key.shape[1]
        if mask is not None:
            mask = mask.expand(batch, self.n_heads, queries, keys)
            mask = torch.cat([mask[:, h] for h in range(self.n_heads)])
        out, attn = scaled_dot_product_attention(
            fold(self.w_q(query)), fold(self.w_k(key)), fold(self.w_v(value)), mask
        )
        shape = (batch, self.n_heads)
        return self.w_o(merge_heads(out.unflatten(0, shape))), attn.unflatten(0, shape)
