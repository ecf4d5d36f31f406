# %% [markdown]
# # The transformer

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %%
def residual(x, sublayer_output, dropout, norm):
    return norm(x + dropout(sublayer_output))

# %% [markdown]
# ## Given: multi-head attention

# %%
class MultiHeadAttention(nn.Module):
    """Multi-head attention, complete."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Make the four projections; each head gets `d_model // n_heads` columns.

        Raises:
            ValueError: `n_heads` does not divide `d_model`.
        """
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(
                f"d_model must be a multiple of n_heads, got d_model={d_model}, n_heads={n_heads}"
            )
        self.n_heads = n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Attend from `query` to `key`, in every head, and mix `value`.

        Args:
            query: (B, L_q, D).
            key: (B, L_k, D).
            value: (B, L_k, D).
            mask: bool, broadcastable to (B, H, L_q, L_k), True = may attend; None = all may.

        Returns:
            (B, L_q, D). For a query that may attend to nothing every head gives zeros.
        """
        q = self.w_q(query).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_q, D/H)
        k = self.w_k(key).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        v = self.w_v(value).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, H, L_q, D/H)
        joined = heads.transpose(1, 2).flatten(2)  # (B, L_q, D)
        return self.w_o(joined)  # (B, L_q, D)

# %% [markdown]
# ## Positions

# %%
def positional_encoding(length: int, d_model: int) -> Tensor:
    """Sine and cosine positional encoding, interleaved.

    Args:
        length: number of positions, counted from 0.
        d_model: D, an even number.

    Returns:
        (length, D), in torch's default dtype and computed in it throughout.
    """
    # 위치 × 주파수
    pos = torch.arange(length).unsqueeze(1)                    # (길이, 1)
    div = 10000 ** (torch.arange(0, d_model, 2) / d_model)     # (D/2,)
    pe = torch.empty(length, d_model)
    pe[:, 0::2] = torch.sin(pos / div)      # 짝수 열
    pe[:, 1::2] = torch.cos(pos / div)      # 홀수 열
    return pe

# %% [markdown]
# ## Blocks

# %%
class FeedForward(nn.Module):
    """Two linear layers with a ReLU between, applied to each position alone."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        """Make `linear1`, D to F, and `linear2`, F to D."""
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position, without dropout.

        Args:
            x: (..., D).

        Returns:
            (..., D).
        """
        x = self.linear1(x)
        x = torch.relu(x)
        x = self.linear2(x)
        return x

# %%
class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward, each as LayerNorm(x + dropout(sublayer(x)))."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1) -> None:
        """Make two sublayers, a norm for each, and one dropout used after both."""
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply both sublayers; `norm1` follows attention, `norm2` feed-forward.

        Args:
            x: (B, S, D).
            mask: bool, broadcastable to (B, H, S, S), True = may attend; None = all may.

        Returns:
            (B, S, D).
        """
        x = residual(x, self.self_attention(x, x, x, mask), self.dropout, self.norm1)
        x = residual(x, self.feed_forward(x), self.dropout, self.norm2)
        return x

# %% [markdown]
# A decoder layer has one sublayer more. Between self-attention and feed-forward, each target

# %%
class DecoderLayer(nn.Module):
    """Self-attention, cross-attention, feed-forward, each as LayerNorm(x + dropout(...))."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1) -> None:
        """Make three sublayers, a norm for each, and one dropout used after all three."""
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm3 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        target_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """Apply the three sublayers, followed by `norm1`, `norm2` and `norm3` in this order.

        Args:
            x: the target so far, (B, T, D).
            memory: the encoder's output, (B, S, D).
            target_mask: for self-attention, bool, broadcastable to (B, H, T, T), True = may attend.
            memory_mask: for cross-attention, bool, broadcastable to (B, H, T, S), likewise.

        Returns:
            (B, T, D).
        """
        x = residual(x, self.self_attention(x, x, x, target_mask), self.dropout, self.norm1)
        # 질의는 디코더, 키와 값은 인코더의 출력
        x = residual(x, self.cross_attention(x, memory, memory, memory_mask), self.dropout, self.norm2)
        x = residual(x, self.feed_forward(x), self.dropout, self.norm3)
        return x

# %% [markdown]
# ## Stacks

# %%
class Encoder(nn.Module):
    """A stack of encoder layers, without a norm at the end."""

    def __init__(
        self, n_layers: int, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1
    ) -> None:
        """Make `n_layers` layers that share nothing."""
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Apply every layer in turn.

        Args:
            x: (B, S, D).
            mask: bool, broadcastable to (B, H, S, S), True = may attend; None = all may.

        Returns:
            (B, S, D).
        """
        for layer in self.layers:
            x = layer(x, mask)
        return x

# %%
class Decoder(nn.Module):
    """A stack of decoder layers, without a norm at the end."""

    def __init__(
        self, n_layers: int, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1
    ) -> None:
        """Make `n_layers` layers that share nothing."""
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        target_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """Apply every layer in turn, each to the same memory.

        Args:
            x: the target so far, (B, T, D).
            memory: the encoder's output, (B, S, D).
            target_mask: bool, broadcastable to (B, H, T, T), True = may attend; None = all may.
            memory_mask: bool, broadcastable to (B, H, T, S), likewise.

        Returns:
            (B, T, D).
        """
        for layer in self.layers:
            x = layer(x, memory, target_mask=target_mask, memory_mask=memory_mask)
        return x

# %% [markdown]
# ## The whole

# %%
class Transformer(nn.Module):
    """Encoder and decoder, from token numbers to logits over the target vocabulary."""

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        n_layers: int,
        pad: int = 0,
        dropout: float = 0.1,
    ) -> None:
        """Make embeddings, stacks of `n_layers` each, and the output layer, D to V.

        `pad` is the number of the padding token, the same in source and target.
        """
        super().__init__()
        self.d_model = d_model
        self.pad = pad
        self.source_embedding = nn.Embedding(source_vocabulary, d_model)
        self.target_embedding = nn.Embedding(target_vocabulary, d_model)
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.decoder = Decoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.output = nn.Linear(d_model, target_vocabulary)
        self.dropout = nn.Dropout(dropout)

    def source_mask(self, source: Tensor) -> Tensor:
        """Hide the source's padding.

        Args:
            source: token numbers, int64, (B, S).

        Returns:
            bool, (B, 1, 1, S), True = may attend. Serves self-attention in the encoder and
            cross-attention in the decoder.
        """
        # 패딩이 아닌 키만 볼 수 있다
        return (source != self.pad).unsqueeze(1).unsqueeze(1)

    def target_mask(self, target: Tensor) -> Tensor:
        """Hide the target's padding and, from each position, all later ones.

        Args:
            target: token numbers, int64, (B, T).

        Returns:
            bool, (B, 1, T, T), True = may attend: the key is no padding and not later.
        """
        # 패딩 가리기
        not_pad = (target != self.pad).unsqueeze(1).unsqueeze(1)
        length = target.size(1)
        return not_pad.expand(-1, 1, length, length)

    def embed(self, embedding: nn.Embedding, tokens: Tensor) -> Tensor:
        """Embed tokens, scale by sqrt(D), add the positional encoding, apply dropout.

        Args:
            embedding: `self.source_embedding` or `self.target_embedding`.
            tokens: token numbers, int64, (B, L).

        Returns:
            (B, L, D), of the embedding's dtype and device.
        """
        x = embedding(tokens) * math.sqrt(self.d_model)            # 스케일 잊지 말 것
        x = x + positional_encoding(tokens.size(1), self.d_model).type_as(x)
        return self.dropout(x)

    def encode(self, source: Tensor) -> Tensor:
        """Run the encoder on a source, masking its padding.

        Args:
            source: token numbers, int64, (B, S).

        Returns:
            The memory, (B, S, D).
        """
        return self.encoder(self.embed(self.source_embedding, source), self.source_mask(source))

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Run the decoder on a target, masking its padding and the future.

        Args:
            target: token numbers, int64, (B, T).
            memory: the encoder's output, (B, S, D).
            memory_mask: bool, broadcastable to (B, H, T, S), True = may attend; None = all may.

        Returns:
            The last decoder layer's output, (B, T, D): before the output layer.
        """
        x = self.embed(self.target_embedding, target)
        return self.decoder(x, memory, self.target_mask(target), memory_mask)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Predict, at each target position, the token that comes next.

        Args:
            source: token numbers, int64, (B, S), padded with `pad`.
            target: token numbers, int64, (B, T), padded with `pad`.

        Returns:
            Logits (not probabilities), (B, T, V).
        """
        src_mask = self.source_mask(source)
        memory = self.encode(source)
        return self.output(self.decode(target, memory, src_mask))

# %% [markdown]
# ## Loss and training

# %%
def sequence_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    """Mean cross-entropy over all labels that are not padding.

    Args:
        logits: (B, T, V).
        labels: token numbers, int64, (B, T), at least one of them not `pad`.
        pad: the label that does not count.

    Returns:
        The loss, (), the same however much padding is appended.
    """
    # 패딩이 아닌 자리만 골라서 평균
    keep = labels != pad
    return F.cross_entropy(logits[keep], labels[keep])

# %%
def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    """Make one update by teacher forcing.

    Args:
        model: maps `(source, target)` to logits and has the attribute `pad`. Its train or eval
            mode is the caller's affair and stays as it is.
        optimizer: holds the model's parameters. Gradients left from before do not count.
        source: token numbers, int64, (B, S).
        target: token numbers, int64, (B, T+1): start token, sentence, end token, padding.

    Returns:
        The loss before the update.
    """
    optimizer.zero_grad()
    # 디코더 입력은 마지막 토큰을 빼고, 정답은 첫 토큰을 뺀다
    output = model(source, target[:, :-1])
    loss = sequence_loss(output, target[:, 1:], model.pad)
    loss.backward()
    optimizer.step()
    return float(loss.detach())

# %% [markdown]
# The learning rate rises for $w$ steps and then falls; $t$ counts from 1:

# %%
def warmup_learning_rate(step: int, d_model: int, warmup: int) -> float:
    """Learning rate of one step: linear warm-up, then decay by the inverse square root.

    Args:
        step: number of the update, from 1.
        d_model: D.
        warmup: the step at which the rate is greatest.

    Returns:
        The learning rate, a Python float.
    """
    return (d_model ** -0.5) * min(step ** -0.5, step * warmup ** (-1.5))

# %% [markdown]
# ## Decoding

# %%
def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    """Decode the likeliest token at each step.

    Of the model, only `model(source, tokens)` and its train or eval mode are used: it decodes in
    eval mode, and is in the mode it had before when the function returns or raises.

    Args:
        model: maps source (B, S) and the tokens so far (B, n) to logits (B, n, V).
        source: token numbers, int64, (B, S); not altered.
        start: the token in the first column.
        end: the token that ends a row; the row is filled with it from there on.
        max_length: the greatest number of columns, the first one included; at least 1.

    Returns:
        int64, (B, n), n at most `max_length`: stops as soon as every row has produced `end`.
        Nothing in it carries a gradient.
    """
    was_training = model.training      # 끝나고 되돌려 놓기
    model.eval()
    try:
        with torch.no_grad():
            ys = torch.full((source.size(0), 1), start, dtype=torch.long, device=source.device)
            ended = torch.zeros(source.size(0), 1, dtype=torch.bool, device=source.device)
            while ys.size(1) < max_length:
                if ended.all():
                    break
                nxt = model(source, ys)[:, -1:].argmax(-1)     # (B, 1)
                nxt[ended] = end                               # 끝난 문장은 end 로 채운다
                ended = ended | (nxt == end)
                ys = torch.cat((ys, nxt), dim=1)
    finally:
        model.train(was_training)
    return ys
