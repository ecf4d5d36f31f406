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


def add_and_norm(x, sublayer, dropout, norm):
    return norm(x + dropout(sublayer(x)))


def positional_encoding(length, d_model):
    table = torch.zeros(length, d_model)
    for p in range(length):
        for i in range(d_model // 2):
            angle = p / 10000 ** (2 * i / d_model)
            table[p, 2 * i] = math.sin(angle)
            table[p, 2 * i + 1] = math.cos(angle)
    return table


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x):
        hidden = torch.relu(x @ self.linear1.weight.T + self.linear1.bias)
        return hidden @ self.linear2.weight.T + self.linear2.bias


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        attend = lambda y: self.self_attention(y, y, y, mask=mask)
        x = add_and_norm(x, attend, self.dropout, self.norm1)
        return add_and_norm(x, self.feed_forward, self.dropout, self.norm2)


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
        look_back = lambda y: self.self_attention(y, y, y, mask=target_mask)
        look_over = lambda y: self.cross_attention(y, memory, memory, mask=memory_mask)
        x = add_and_norm(x, look_back, self.dropout, self.norm1)
        x = add_and_norm(x, look_over, self.dropout, self.norm2)
        return add_and_norm(x, self.feed_forward, self.dropout, self.norm3)


class Encoder(nn.Module):
    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(self, x, mask=None):
        hidden = x
        for n in range(len(self.layers)):
            hidden = self.layers[n](hidden, mask=mask)
        return hidden


class Decoder(nn.Module):
    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)
        )

    def forward(self, x, memory, target_mask=None, memory_mask=None):
        hidden = x
        for n in range(len(self.layers)):
            hidden = self.layers[n](hidden, memory, target_mask, memory_mask)
        return hidden


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
        batch, length = source.shape
        return (source != self.pad).reshape(batch, 1, 1, length)

    def target_mask(self, target):
        batch, length = target.shape
        real = (target != self.pad).reshape(batch, 1, 1, length)
        past = torch.ones(length, length, dtype=torch.bool, device=target.device).tril()
        return torch.logical_and(real, past)

    def embed(self, embedding, tokens):
        vectors = F.embedding(tokens, embedding.weight)
        positions = positional_encoding(tokens.shape[1], self.d_model)
        positions = positions.to(dtype=vectors.dtype, device=vectors.device)
        return self.dropout(math.sqrt(self.d_model) * vectors + positions)

    def encode(self, source):
        embedded = self.embed(self.source_embedding, source)
        return self.encoder(embedded, mask=self.source_mask(source))

    def decode(self, target, memory, memory_mask=None):
        embedded = self.embed(self.target_embedding, target)
        mask = self.target_mask(target)
        return self.decoder(embedded, memory, target_mask=mask, memory_mask=memory_mask)

    def forward(self, source, target):
        memory = self.encode(source)
        hidden = self.decode(target, memory, self.source_mask(source))
        return hidden @ self.output.weight.T + self.output.bias


def sequence_loss(logits, labels, pad):
    logp = torch.log_softmax(logits, dim=-1)
    picked = -logp.gather(2, labels.unsqueeze(2)).squeeze(2)
    return picked[labels != pad].mean()


def training_step(model, optimizer, source, target):
    seen, wanted = target[:, :-1], target[:, 1:]
    loss = sequence_loss(model(source, seen), wanted, model.pad)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def warmup_learning_rate(step, d_model, warmup):
    if step < warmup:
        return step / (math.sqrt(d_model) * warmup * math.sqrt(warmup))
    return 1 / (math.sqrt(d_model) * math.sqrt(step))


def greedy_decode(model, source, start, end, max_length):
    mode = model.training
    model.eval()
    tokens = torch.full((source.shape[0], 1), start, dtype=torch.int64, device=source.device)
    try:
        with torch.no_grad():
            for _ in range(max_length - 1):
                best = model(source, tokens)[:, -1, :].argmax(dim=-1, keepdim=True)
                tokens = torch.cat([tokens, best], dim=1)
                if (best == end).all():
                    break
    finally:
        model.train(mode)
    return tokens
