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
    # BEGIN SOLUTION
    peak = x.detach().amax(dim=dim, keepdim=True)  # 1 along dim
    peak = peak.masked_fill(peak == -math.inf, 0.0)  # 1 along dim
    shifted = x - peak  # as x
    exponentials = torch.exp(shifted)  # as x
    total = exponentials.sum(dim=dim, keepdim=True)  # 1 along dim
    total = total.masked_fill(total == 0.0, 1.0)  # 1 along dim
    return exponentials / total  # as x
    # END SOLUTION


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
    # BEGIN SOLUTION
    everything = torch.ones(length, length, dtype=torch.bool)  # (L, L)
    return everything.tril()  # (L, L)
    # END SOLUTION


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
    # BEGIN SOLUTION
    positions = torch.arange(length, device=lengths.device)  # (L_k,)
    keep = positions < lengths[:, None]  # (B, L_k)
    return keep[:, None, None, :]  # (B, 1, 1, L_k)
    # END SOLUTION


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
    # BEGIN SOLUTION
    d_k = query.size(-1)
    products = query @ key.transpose(-2, -1)  # (..., L_q, L_k)
    scores = products / math.sqrt(d_k)  # (..., L_q, L_k)
    if mask is not None:
        forbidden = ~mask  # as mask
        scores = scores.masked_fill(forbidden, -math.inf)  # (..., L_q, L_k)
    weights = softmax(scores, dim=-1)  # (..., L_q, L_k)
    output = weights @ value  # (..., L_q, d_v)
    return output, weights
    # END SOLUTION


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
    # BEGIN SOLUTION
    batch, length, width = x.shape
    heads = x.reshape(batch, length, n_heads, width // n_heads)  # (B, L, H, d)
    return heads.transpose(1, 2)  # (B, H, L, d)
    # END SOLUTION


# %%
def merge_heads(x: Tensor) -> Tensor:
    """Join the heads side by side; undoes `split_heads`.

    Args:
        x: (B, H, L, d).

    Returns:
        (B, L, H*d).
    """
    # BEGIN SOLUTION
    batch, n_heads, length, width = x.shape
    positions_first = x.transpose(1, 2)  # (B, L, H, d)
    return positions_first.reshape(batch, length, n_heads * width)  # (B, L, H*d)
    # END SOLUTION


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
        # BEGIN SOLUTION
        q = self.w_q(query)  # (B, L_q, H*d_k)
        k = self.w_k(key)  # (B, L_k, H*d_k)
        v = self.w_v(value)  # (B, L_k, H*d_v)
        q = split_heads(q, self.n_heads)  # (B, H, L_q, d_k)
        k = split_heads(k, self.n_heads)  # (B, H, L_k, d_k)
        v = split_heads(v, self.n_heads)  # (B, H, L_k, d_v)
        heads, weights = scaled_dot_product_attention(q, k, v, mask)  # heads (B, H, L_q, d_v)
        joined = merge_heads(heads)  # (B, L_q, H*d_v)
        output = self.w_o(joined)  # (B, L_q, D)
        return output, weights
        # END SOLUTION


# %% [markdown]
# ## Beyond the layer: why the root, and what it costs
#
# Two functions for extra points. The first measures what the scale is for: over many pairs of
# random vectors, how much do dot products spread, before and after they are divided by the root?
# The second counts.


# %%
def dot_product_variance(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Measure how much dot products spread, and scaled ones.

    Args:
        query: N vectors, (N, d_k).
        key: N vectors, (N, d_k): query n is multiplied by key n and by no other.

    Returns:
        The variance of the N dot products, and that of the N dot products divided by the root of
        d_k, each (): the mean squared distance from their mean.
    """
    # BEGIN SOLUTION
    products = (query * key).sum(dim=1)  # (N,)
    scaled = products / math.sqrt(query.size(1))  # (N,)
    spread = (products - products.mean()).square().mean()  # ()
    scaled_spread = (scaled - scaled.mean()).square().mean()  # ()
    return spread, scaled_spread
    # END SOLUTION


# %%
def attention_cost(n_heads: int, l_q: int, l_k: int, d_k: int, d_v: int) -> tuple[int, int]:
    """Count what attention costs for one item of a batch, projections left out.

    Args:
        n_heads: H.
        l_q: L_q, number of queries.
        l_k: L_k, number of keys.
        d_k: width of one query or key of one head.
        d_v: width of one value of one head.

    Returns:
        `(multiplications, scores)`: how many products of two numbers Q K^T and A V take together,
        in all heads, and how many scores have to be held for all heads.
    """
    # BEGIN SOLUTION
    scores = n_heads * l_q * l_k
    return scores * d_k + scores * d_v, scores
    # END SOLUTION


# %% [markdown]
# ## Try it: how far scores spread, and what a longer sequence costs
#
# The next cells run in a notebook (or with `python mha.py`), not when the module is imported. They
# use the two functions for extra points.

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    for width in (4, 16, 64, 256):
        query, key = torch.randn(2, 5000, width)  # (N, d_k) each
        spread, scaled = dot_product_variance(query, key)
        print(f"d_k={width:4}: variance {spread:6.1f}, after the division {scaled:.2f}")

# %%
if __name__ == "__main__":
    for length in (512, 1024, 2048):
        multiplications, scores = attention_cost(8, length, length, 64, 64)
        print(f"length {length:5}: {multiplications:14,} multiplications, {scores:11,} scores")
