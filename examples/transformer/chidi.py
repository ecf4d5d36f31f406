import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


LOG_SHAPES = False


class MultiHeadAttention(nn.Module):
    """Multi-head attention, complete."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Make the four projections; each head gets `d_model // n_heads` columns."""
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
        """Attend from `query` to `key`, in every head, and mix `value`."""
        q = self.w_q(query).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_q, D/H)
        k = self.w_k(key).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        v = self.w_v(value).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, H, L_q, D/H)
        joined = heads.transpose(1, 2).flatten(2)  # (B, L_q, D)
        return self.w_o(joined)  # (B, L_q, D)


def positional_encoding(length: int, d_model: int) -> Tensor:
    """Sine and cosine positional encoding, interleaved."""
    pe = torch.zeros(length, d_model)
    for p in range(length):
        for i in range(d_model // 2):
            angle = p / 10000 ** (2 * i / d_model)
            pe[p, 2 * i] = math.sin(angle)
            pe[p, 2 * i + 1] = math.cos(angle)
    return pe


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between, applied to each position alone."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        """Make `linear1`, D to F, and `linear2`, F to D."""
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position, without dropout."""
        h = self.linear1(x)
        h = torch.maximum(h, torch.zeros_like(h))
        return self.linear2(h)


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
        """Apply both sublayers; `norm1` follows attention, `norm2` feed-forward."""
        for sublayer, norm in (
            (lambda y: self.self_attention(y, y, y, mask), self.norm1),
            (self.feed_forward, self.norm2),
        ):
            x = norm(x + self.dropout(sublayer(x)))
        return x


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
        """Apply the three sublayers, followed by `norm1`, `norm2` and `norm3` in this order."""
        sublayers = (
            (lambda y: self.self_attention(y, y, y, target_mask), self.norm1),
            (lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm2),
            (self.feed_forward, self.norm3),
        )
        for sublayer, norm in sublayers:
            x = norm(x + self.dropout(sublayer(x)))
        return x


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
        """Apply every layer in turn."""
        for layer in self.layers:
            x = layer(x, mask)
        return x


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
        """Apply every layer in turn, each to the same memory."""
        for layer in self.layers:
            x = layer(x, memory, target_mask, memory_mask)
        return x


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
        """Make embeddings, stacks of `n_layers` each, and the output layer, D to V."""
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
        """Hide the source's padding."""
        return torch.logical_not(source == self.pad).view(source.size(0), 1, 1, source.size(1))

    def target_mask(self, target: Tensor) -> Tensor:
        """Hide the target's padding and, from each position, all later ones."""
        position = torch.arange(target.size(1), device=target.device)
        not_later = position[None, :] <= position[:, None]
        return not_later[None, None] & (target != self.pad)[:, None, None]

    def embed(self, embedding: nn.Embedding, tokens: Tensor) -> Tensor:
        """Embed tokens, scale by sqrt(D), add the positional encoding, apply dropout."""
        e = F.embedding(tokens, embedding.weight)
        e = math.sqrt(self.d_model) * e
        return self.dropout(e + positional_encoding(tokens.shape[-1], self.d_model).to(e.device, e.dtype))

    def encode(self, source: Tensor) -> Tensor:
        """Run the encoder on a source, masking its padding."""
        x = self.embed(self.source_embedding, source)
        memory = self.encoder(x, self.source_mask(source))
        if LOG_SHAPES:
            print("encode", tuple(source.shape), "->", tuple(memory.shape))
        return memory

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Run the decoder on a target, masking its padding and the future."""
        x = self.embed(self.target_embedding, target)
        return self.decoder(x, memory, self.target_mask(target), memory_mask)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Predict, at each target position, the token that comes next."""
        logits = self.output(self.decode(target, self.encode(source), self.source_mask(source)))
        if LOG_SHAPES:
            print("logits", tuple(logits.shape))
        return logits


def sequence_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    """Mean cross-entropy over all labels that are not padding."""
    log_p = F.log_softmax(logits, dim=-1)
    real = labels != pad
    picked = log_p[real].gather(1, labels[real].unsqueeze(1))
    return -picked.sum() / real.sum()


def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    """Make one update by teacher forcing."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = None
    loss = sequence_loss(model(source, target[:, :-1]), target[:, 1:], model.pad)
    loss.backward()
    optimizer.step()
    return loss.item()


def warmup_learning_rate(step: int, d_model: int, warmup: int) -> float:
    """Learning rate of one step: linear warm-up, then decay by the inverse square root."""
    if step < warmup:
        return d_model ** -0.5 * step * warmup ** -1.5
    return d_model ** -0.5 * step ** -0.5


def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    """Decode the likeliest token at each step."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            rows = source.shape[0]
            tokens = source.new_full((rows, 1), start)
            alive = [True] * rows
            while any(alive) and tokens.shape[1] < max_length:
                guess = model(source, tokens)[:, -1].argmax(-1).tolist()
                column = [g if ok else end for g, ok in zip(guess, alive)]
                alive = [ok and g != end for g, ok in zip(column, alive)]
                column = torch.tensor(column, dtype=tokens.dtype, device=tokens.device)
                tokens = torch.cat([tokens, column[:, None]], dim=1)
    finally:
        model.train(training)
    return tokens
