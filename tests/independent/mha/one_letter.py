import math
import torch
from torch import Tensor, nn

def softmax(x, dim):
    m = x.amax(dim, True)
    e = (x - m.masked_fill(m == -math.inf, 0)).exp()
    s = e.sum(dim, True)
    return e / (s + (s == 0))

def causal_mask(length):
    return torch.ones(length, length).tril() > 0

def padding_mask(lengths, length):
    return (torch.arange(length, device=lengths.device) < lengths[:, None])[:, None, None]

def scaled_dot_product_attention(query, key, value, mask=None):
    s = query @ key.mT * query.shape[-1] ** (-0.5)
    if mask is not None:
        m = mask.broadcast_to(s.shape)
        t = s.detach().masked_fill(~m, -math.inf).amax(-1, True)
        e = (s - t).masked_fill(~m, -math.inf).exp()
        z = e.sum(-1, True)
        a = e / (z + ~m.any(-1, True))
    else:
        a = softmax(s, -1)
    return (a @ value, a)

def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)

def merge_heads(x):
    return x.transpose(1, 2).flatten(-2)

class MultiHeadAttention(nn.Module):

    def __init__(self, d_model, n_heads, d_k=None, d_v=None):
        super().__init__()
        if (d_k is None or d_v is None) and d_model % n_heads != 0:
            raise ValueError(f'd_model must be a multiple of n_heads, got d_model={d_model}, n_heads={n_heads}; give d_k and d_v to choose the widths yourself')
        self.d_model = d_model
        self.n_heads = n_heads
        self.d_k = d_model // n_heads if d_k is None else d_k
        self.d_v = d_model // n_heads if d_v is None else d_v
        self.w_q = nn.Linear(d_model, n_heads * self.d_k)
        self.w_k = nn.Linear(d_model, n_heads * self.d_k)
        self.w_v = nn.Linear(d_model, n_heads * self.d_v)
        self.w_o = nn.Linear(n_heads * self.d_v, d_model)

    def forward(self, query, key, value, mask=None):
        s = lambda f, x: split_heads(f(x), self.n_heads)
        o, a = scaled_dot_product_attention(s(self.w_q, query), s(self.w_k, key), s(self.w_v, value), mask)
        return (self.w_o(merge_heads(o)), a)

def dot_product_variance(query, key):
    p = (query * key).sum(-1)
    v = lambda x: x.var(unbiased=False)
    return v(p), v(p / query.size(-1) ** .5)

def attention_cost(n_heads, l_q, l_k, d_k, d_v):
    s = n_heads * l_q * l_k
    return s * (d_k + d_v), s
