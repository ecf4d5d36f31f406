import math

import torch
from torch import Tensor, nn


def softmax(x, dim):
    """Softmax along one axis, by hand, finite for every finite input."""
    m, _ = torch.max(x.detach(), dim, keepdim=True)
    m[m == -float("inf")] = 0
    z = torch.exp(x - m)
    s = z.sum(dim, keepdim=True)
    return torch.where(s == 0, z, z / torch.where(s == 0, 1.0, s))


def causal_mask(length):
    """Let each position attend to itself and to earlier positions."""
    row = torch.arange(length).unsqueeze(1)
    col = torch.arange(length).unsqueeze(0)
    return col <= row


def padding_mask(lengths, length):
    """Hide the padding at the end of each key sequence."""
    return torch.stack([torch.arange(length, device=lengths.device) < n for n in lengths]).reshape(-1, 1, 1, length)


def scaled_dot_product_attention(query, key, value, mask=None):
    """Attend from each query to all keys and mix their values."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    w = softmax(scores, dim=-1)
    if mask is not None:
        w = w.masked_fill(~mask, 0.0)
    return w @ value, w


def split_heads(x, n_heads):
    """Cut the last axis into heads."""
    d = x.shape[-1] // n_heads
    return torch.stack([x[..., h * d:(h + 1) * d] for h in range(n_heads)], dim=1)


def merge_heads(x):
    """Join the heads side by side; undoes `split_heads`."""
    b, h, l, d = x.shape
    return x.transpose(1, 2).reshape(b, l, h * d)


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on its own projections of query, key and value."""

    def __init__(self, d_model, n_heads, d_k=None, d_v=None):
        """Make the four projections; `d_k` and `d_v` default to `d_model // n_heads`."""
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
        """Attend from `query` to `key`, in every head, and mix `value`."""
        if query is key and key is value:
            # self-attention: one matrix product instead of three
            w = torch.cat([self.w_q.weight, self.w_k.weight, self.w_v.weight], dim=0)
            b = torch.cat([self.w_q.bias, self.w_k.bias, self.w_v.bias], dim=0)
            sizes = [self.n_heads * self.d_k, self.n_heads * self.d_k, self.n_heads * self.d_v]
            q, k, v = (query @ w.T + b).split(sizes, dim=-1)
        else:
            q, k, v = self.w_q(query), self.w_k(key), self.w_v(value)
        q, k, v = [split_heads(t, self.n_heads) for t in (q, k, v)]
        out, w = scaled_dot_product_attention(q, k, v, mask)
        return self.w_o(merge_heads(out)), w
