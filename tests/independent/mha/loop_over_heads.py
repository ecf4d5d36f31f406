# %% [markdown]
# # Multi-head attention
#
# Vaswani et al., *Attention Is All You Need*, 2017, sections 3.2.1 (scaled dot-product attention),
# 3.2.2 (multi-head attention) and 3.2.3 (the causal mask).
#
# You build attention from the softmax up: softmax, masks, attention for one head, many heads.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `L_q` | queries: length of the sequence that asks |
# | `L_k` | keys and values: length of the sequence that is asked |
# | `D` | `d_model`: one vector of the model |
# | `H` | heads |
# | `d_k` | one query or key of one head |
# | `d_v` | one value of one head |
#
# **Against `torch.nn.MultiheadAttention`.**
#
# - In a mask `True` means *may attend*. (There, `True` means *may not*. In
#   `F.scaled_dot_product_attention` it means what it means here.)
# - A query that may attend to nothing gives zeros. (There, NaN.)
# - The weights of every head are returned. (There, by default, their mean over the heads.)
# - Four `nn.Linear`, `w_q`, `w_k`, `w_v` and `w_o`. (There, the first three are one matrix.)
# - Always batch first; no dropout; `d_k` and `d_v` can be chosen.

# %%
import math

import torch
from torch import Tensor, nn

# %% [markdown]
# ## Softmax
#
# $$\mathrm{softmax}(x)_j = \frac{e^{x_j}}{\sum_k e^{x_k}}$$
#
# $e^{1000}$ overflows. The same number added to every $x_j$ changes nothing, so there is always a
# way to keep the exponents small.

# %%
def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax along one axis, by hand, finite for every finite input.

    Args:
        x: any shape. An entry may be minus infinity: its result is 0.
        dim: the axis along which the results sum to 1.

    Returns:
        The shape of `x`. Where every entry along `dim` is minus infinity: zeros, and gradients
        without NaN.
    """
    # YOUR CODE HERE
    # bring the axis to the end, work there, bring it back
    y = x.movedim(dim, -1)
    greatest, _ = y.detach().max(dim=-1, keepdim=True)
    nothing = torch.isneginf(greatest)
    shifted = y - greatest.masked_fill(nothing, 0)
    numerator = shifted.exp()
    denominator = numerator.sum(-1, keepdim=True).masked_fill(nothing, 1)
    return (numerator / denominator).movedim(-1, dim)

# %% [markdown]
# ## Masks
#
# A mask is boolean, and `True` means *may attend*. Query $i$ may see key $j$
#
# - under the causal mask where $j \le i$: a position sees itself and what came before;
# - under the padding mask where $j$ lies within the length of its sequence, for every head and
#   every query alike.

# %%
def causal_mask(length: int) -> Tensor:
    """Let each position attend to itself and to earlier positions.

    Args:
        length: number of positions L.

    Returns:
        bool, (L, L); row = query, column = key, True = may attend.
    """
    # YOUR CODE HERE
    mask = torch.zeros(length, length, dtype=torch.bool)
    for query in range(length):
        for key in range(query + 1):
            mask[query, key] = True
    return mask

# %%
def padding_mask(lengths: Tensor, length: int) -> Tensor:
    """Hide the padding at the end of each key sequence.

    Args:
        lengths: number of true positions in each sequence, int64, (B,), each from 0 to `length`.
        length: the padded length L_k.

    Returns:
        bool, (B, 1, 1, L_k), on the device of `lengths`: broadcasts over heads and queries.
        True = may attend.
    """
    # YOUR CODE HERE
    mask = torch.zeros(len(lengths), 1, 1, length, dtype=torch.bool, device=lengths.device)
    for b, n in enumerate(lengths.tolist()):
        mask[b, :, :, :n] = True
    return mask

# %% [markdown]
# ## Scaled dot-product attention
#
# $$A = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}}\right), \qquad O = A V$$
#
# The softmax runs over the keys: each row of $A$ sums to 1. A dot product of two vectors with
# $d_k$ independent entries of variance 1 has variance $d_k$; the root brings it back to 1. Queries
# and keys share $d_k$, keys and values share $L_k$, and nothing else has to agree.

# %%
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attend from each query to all keys and mix their values.

    Args:
        query: (..., L_q, d_k); the leading axes are free, and the same in query, key and value.
        key: (..., L_k, d_k).
        value: (..., L_k, d_v).
        mask: bool, broadcastable to (..., L_q, L_k), True = may attend; None = all may.

    Returns:
        `(output, weights)`: (..., L_q, d_v) and (..., L_q, L_k). The weight of a forbidden key is
        exactly 0. A query that may attend to nothing has zeros in both, and no gradient is NaN.
    """
    # YOUR CODE HERE
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask.logical_not(), -math.inf)
    weights = softmax(scores, dim=-1)
    output = weights @ value
    return output, weights

# %% [markdown]
# ## Many heads
#
# Head $h$ works on its own block of columns of the projections, columns $h d$ to $(h+1) d - 1$.
# Splitting moves the heads in front of the positions, so that attention sees each head as one more
# batch axis; merging undoes it.

# %%
def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut the last axis into heads.

    Args:
        x: (B, L, H*d).
        n_heads: H.

    Returns:
        (B, H, L, d): head h holds the columns h*d to (h+1)*d - 1 of `x`.
    """
    # YOUR CODE HERE
    batch, length, columns = x.shape
    width = columns // n_heads
    heads = torch.empty(batch, n_heads, length, width, dtype=x.dtype, device=x.device)
    for h in range(n_heads):
        heads[:, h] = x[:, :, h * width : (h + 1) * width]
    return heads

# %%
def merge_heads(x: Tensor) -> Tensor:
    """Join the heads side by side; undoes `split_heads`.

    Args:
        x: (B, H, L, d).

    Returns:
        (B, L, H*d).
    """
    # YOUR CODE HERE
    batch, n_heads, length, width = x.shape
    joined = torch.empty(batch, length, n_heads * width, dtype=x.dtype, device=x.device)
    for h in range(n_heads):
        joined[:, :, h * width : (h + 1) * width] = x[:, h]
    return joined

# %% [markdown]
# The whole layer, where $X_q$, $X_k$ and $X_v$ are the three arguments:
#
# $$\mathrm{head}_h = \mathrm{attention}(X_q W^Q_h, X_k W^K_h, X_v W^V_h)$$
#
# $$\mathrm{output} = [\mathrm{head}_1; \ldots; \mathrm{head}_H] W^O$$
#
# Each `nn.Linear` also adds its bias, and the matrices of all heads lie side by side in one.

# %%
class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on its own projections of query, key and value."""

    def __init__(
        self, d_model: int, n_heads: int, d_k: int | None = None, d_v: int | None = None
    ) -> None:
        """Make the four projections; `d_k` and `d_v` default to `d_model // n_heads`.

        Raises:
            ValueError: a default is needed and `n_heads` does not divide `d_model`.
        """
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
        """Attend from `query` to `key`, in every head, and mix `value`.

        Args:
            query: (B, L_q, D).
            key: (B, L_k, D).
            value: (B, L_k, D).
            mask: bool, broadcastable to (B, H, L_q, L_k), True = may attend; None = all may.

        Returns:
            `(output, weights)`: (B, L_q, D) and (B, H, L_q, L_k).
        """
        # YOUR CODE HERE
        if mask is not None:
            mask = mask.expand(query.size(0), self.n_heads, query.size(1), key.size(1))
        output = self.w_o.bias
        all_weights = []
        for h, (columns_k, columns_v) in enumerate(self.head_columns):
            q = torch.nn.functional.linear(query, self.w_q.weight[columns_k], self.w_q.bias[columns_k])
            k = torch.nn.functional.linear(key, self.w_k.weight[columns_k], self.w_k.bias[columns_k])
            v = torch.nn.functional.linear(value, self.w_v.weight[columns_v], self.w_v.bias[columns_v])
            o, w = scaled_dot_product_attention(q, k, v, None if mask is None else mask[:, h])
            # [head_1; ...; head_H] W^O is the sum of what every head adds
            output = output + torch.nn.functional.linear(o, self.w_o.weight[:, columns_v])
            all_weights.append(w)
        return output, torch.stack(all_weights, dim=1)

    @property
    def head_columns(self) -> list[tuple[slice, slice]]:
        """For each head: its columns in w_q and w_k, and those in w_v."""
        return [
            (
                slice(h * self.d_k, (h + 1) * self.d_k),
                slice(h * self.d_v, (h + 1) * self.d_v),
            )
            for h in range(self.n_heads)
        ]


def dot_product_variance(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Variance of dot products over pairs, unscaled and scaled."""
    dots = torch.stack([q @ k for q, k in zip(query, key)])
    raw = (dots**2).mean() - dots.mean() ** 2
    return raw, raw / query.shape[1]


def attention_cost(n_heads: int, l_q: int, l_k: int, d_k: int, d_v: int) -> tuple[int, int]:
    """Multiplications and scores, head by head."""
    multiplications = scores = 0
    for _ in range(n_heads):
        scores += l_q * l_k
        multiplications += l_q * l_k * d_k  # Q K^T: d_k for each score
        multiplications += l_q * d_v * l_k  # A V: l_k for each number of the output
    return multiplications, scores
