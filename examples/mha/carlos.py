# %%
import math

import torch
from torch import Tensor, nn

# %%
def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax along one axis, by hand, finite for every finite input."""
    # rows (along dim) without a single finite entry
    dead = (x == -math.inf).all(dim, keepdim=True)
    safe = x.masked_fill(dead, 0.0)
    safe = safe - safe.amax(dim, keepdim=True)
    p = safe.exp()
    p = p / p.sum(dim, keepdim=True)
    return p.masked_fill(dead, 0.0)

# %%
def causal_mask(length: int) -> Tensor:
    """Let each position attend to itself and to earlier positions."""
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, : i + 1] = True
    return mask

# %%
def padding_mask(lengths: Tensor, length: int) -> Tensor:
    """Hide the padding at the end of each key sequence."""
    mask = torch.zeros(len(lengths), 1, 1, length, dtype=torch.bool, device=lengths.device)
    for b, n in enumerate(lengths.tolist()):
        mask[b, :, :, :n] = True
    return mask

# %%
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attend from each query to all keys and mix their values."""
    scores = query.matmul(key.mT).div(math.sqrt(query.shape[-1]))
    if mask is None:
        mask = torch.ones((), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(mask.logical_not(), -math.inf)
    weights = softmax(scores, -1)
    return weights.matmul(value), weights

# %%
def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut the last axis into heads."""
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)

# %%
def merge_heads(x: Tensor) -> Tensor:
    """Join the heads side by side; undoes `split_heads`."""
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=-1)

# %%
class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on its own projections of query, key and value."""

    def __init__(
        self, d_model: int, n_heads: int, d_k: int | None = None, d_v: int | None = None
    ) -> None:
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

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attend from `query` to `key`, in every head, and mix `value`."""
        B, L_q, L_k = query.shape[0], query.shape[1], key.shape[1]
        q, k, v = self.w_q(query), self.w_k(key), self.w_v(value)
        if mask is not None:
            mask = mask.expand(B, self.n_heads, L_q, L_k)
        outputs, all_weights = [], []
        for h in range(self.n_heads):
            qk = slice(h * self.d_k, (h + 1) * self.d_k)
            vv = slice(h * self.d_v, (h + 1) * self.d_v)
            head_mask = None if mask is None else mask[:, h]
            o, w = scaled_dot_product_attention(q[..., qk], k[..., qk], v[..., vv], head_mask)
            outputs.append(o)
            all_weights.append(w)
        return self.w_o(torch.cat(outputs, dim=-1)), torch.stack(all_weights, dim=1)
