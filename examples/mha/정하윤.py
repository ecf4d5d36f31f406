# %% [markdown]
# # Multi-head attention

# %%
import math

import torch
from torch import Tensor, nn

# %% [markdown]
# ## Softmax

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
    # 최댓값을 빼서 오버플로를 막는다
    x_max = torch.max(x, dim=dim, keepdim=True)[0]
    x_max = torch.nan_to_num(x_max, neginf=0.0)      # 전부 -inf 인 행은 0으로
    exp_x = torch.exp(x - x_max)
    sum_exp = torch.sum(exp_x, dim=dim, keepdim=True)
    # 최댓값 자리가 exp(0)=1 이므로 합은 1 이상. 전부 -inf 일 때만 0
    return exp_x / sum_exp.clamp(min=1.0)

# %% [markdown]
# ## Masks

# %%
def causal_mask(length: int) -> Tensor:
    """Let each position attend to itself and to earlier positions.

    Args:
        length: number of positions L.

    Returns:
        bool, (L, L); row = query, column = key, True = may attend.
    """
    # 대각선 위쪽(미래)은 False
    return ~torch.triu(torch.ones(length, length, dtype=torch.bool), diagonal=1)

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
    batch_size = lengths.size(0)
    pos = torch.arange(length, device=lengths.device).expand(batch_size, length)
    mask = pos < lengths.unsqueeze(1)
    return mask.unsqueeze(1).unsqueeze(2)            # (B, 1, 1, L)

# %% [markdown]
# ## Scaled dot-product attention

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
    d_k = query.size(-1)
    scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(d_k)
    if mask is not None:
        # mask 된 곳은 -inf
        scores = scores.masked_fill(mask, float("-inf"))
    attention = softmax(scores, dim=-1)
    return torch.matmul(attention, value), attention

# %% [markdown]
# ## Many heads

# %%
def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """Cut the last axis into heads.

    Args:
        x: (B, L, H*d).
        n_heads: H.

    Returns:
        (B, H, L, d): head h holds the columns h*d to (h+1)*d - 1 of `x`.
    """
    B, L, D = x.size()
    d = D // n_heads
    x = x.reshape(B, L, n_heads, d)    # (B, L, H, d)
    return x.permute(0, 2, 1, 3)       # (B, H, L, d)

# %%
def merge_heads(x: Tensor) -> Tensor:
    """Join the heads side by side; undoes `split_heads`.

    Args:
        x: (B, H, L, d).

    Returns:
        (B, L, H*d).
    """
    B, H, L, d = x.size()
    return x.permute(0, 2, 1, 3).reshape(B, L, H * d)

# %% [markdown]
# The whole layer, where $X_q$, $X_k$ and $X_v$ are the three arguments:

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
        # 1. 선형 변환
        Q, K, V = self.w_q(query), self.w_k(key), self.w_v(value)
        # 2. 헤드 나누기
        Q = split_heads(Q, self.n_heads)
        K = split_heads(K, self.n_heads)
        V = split_heads(V, self.n_heads)
        # 3. 어텐션
        context, attention = scaled_dot_product_attention(Q, K, V, mask=mask)
        # 4. 합치고 출력 변환
        return self.w_o(merge_heads(context)), attention
