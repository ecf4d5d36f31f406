import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
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

    def forward(self, query, key, value, mask=None):
        q = self.w_q(query).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_q, D/H)
        k = self.w_k(key).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        v = self.w_v(value).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, H, L_k, D/H)
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, H, L_q, D/H)
        joined = heads.transpose(1, 2).flatten(2)  # (B, L_q, D)
        return self.w_o(joined)  # (B, L_q, D)


def positional_encoding(length, d_model):
    p = torch.arange(length).to(torch.get_default_dtype())
    w = torch.exp(-math.log(10000.0) * torch.arange(0, d_model, 2) / d_model)
    angle = torch.einsum("p,i->pi", p, w.to(p.dtype))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.linear2(self.linear1(x).clamp(min=0))


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        p = self.dropout.p
        a = self.norm1(x + F.dropout(self.self_attention(x, x, x, mask), p))
        return self.norm2(a + F.dropout(self.feed_forward(a), p))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm3 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, memory, target_mask=None, memory_mask=None):
        p = self.dropout.p
        a = self.norm1(x + F.dropout(self.self_attention(x, x, x, target_mask), p))
        b = self.norm2(a + F.dropout(self.cross_attention(a, memory, memory, memory_mask), p))
        return self.norm3(b + F.dropout(self.feed_forward(b), p))


class Encoder(nn.Module):
    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(self, x, mask=None):
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Decoder(nn.Module):
    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(self, x, memory, target_mask=None, memory_mask=None):
        for layer in self.layers:
            x = layer(x, memory, target_mask, memory_mask)
        return x


class Transformer(nn.Module):
    def __init__(
        self,
        source_vocabulary,
        target_vocabulary,
        d_model,
        n_heads,
        d_ff,
        n_layers,
        pad=0,
        dropout=0.1,
    ):
        super().__init__()
        self.d_model = d_model
        self.pad = pad
        self.source_embedding = nn.Embedding(source_vocabulary, d_model)
        self.target_embedding = nn.Embedding(target_vocabulary, d_model)
        self.encoder = Encoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.decoder = Decoder(n_layers, d_model, n_heads, d_ff, dropout)
        self.output = nn.Linear(d_model, target_vocabulary)
        self.dropout = nn.Dropout(dropout)

    def source_mask(self, source):
        return source.ne(self.pad)[:, None, None]

    def target_mask(self, target):
        pos = torch.arange(target.size(1), device=target.device)
        return target.ne(self.pad)[:, None, None] & (pos <= pos[:, None])

    def embed(self, embedding, tokens):
        e = embedding(tokens) * self.d_model**0.5
        return self.dropout(e + positional_encoding(tokens.size(1), self.d_model).to(e))

    def encode(self, source):
        return self.encoder(self.embed(self.source_embedding, source), self.source_mask(source))

    def decode(self, target, memory, memory_mask=None):
        x = self.embed(self.target_embedding, target)
        return self.decoder(x, memory, self.target_mask(target), memory_mask)

    def forward(self, source, target):
        return self.output(self.decode(target, self.encode(source), self.source_mask(source)))


def sequence_loss(logits, labels, pad):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=pad)


def training_step(model, optimizer, source, target):
    optimizer.zero_grad()
    loss = sequence_loss(model(source, target[:, :-1]), target[:, 1:], model.pad)
    loss.backward()
    optimizer.step()
    return loss.item()


def warmup_learning_rate(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


@torch.no_grad()
def greedy_decode(model, source, start, end, max_length):
    was = model.training
    model.eval()
    try:
        out = source.new_full((source.size(0), 1), start)
        done = torch.zeros_like(out, dtype=torch.bool)
        while out.size(1) < max_length and not done.all():
            new = model(source, out)[:, -1:].argmax(-1)
            new = torch.where(done, end, new)
            done = done | (new == end)
            out = torch.cat([out, new], 1)
        return out
    finally:
        model.train(was)
