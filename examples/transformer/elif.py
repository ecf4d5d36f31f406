import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def causal(n, device=None):
    """Lower triangle: True = may attend."""
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()
def residual(x, sublayer_output, dropout, norm):
    return norm(x + dropout(sublayer_output))


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
    pe = torch.zeros(length, d_model)
    for p in range(length):
        for i in range(d_model // 2):
            angle = p / 10000 ** (2 * i / d_model)
            pe[p, 2 * i] = math.sin(angle)
            pe[p, 2 * i + 1] = math.cos(angle)
    return pe


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x):
        h = self.linear1(x)
        h = torch.maximum(h, torch.zeros_like(h))
        return self.linear2(h)


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = residual(x, self.self_attention(x, x, x, mask), self.dropout, self.norm1)
        x = residual(x, self.feed_forward(x), self.dropout, self.norm2)
        return x


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
        x = residual(x, self.self_attention(x, x, x, target_mask), self.dropout, self.norm1)
        x = residual(x, self.cross_attention(x, memory, memory, memory_mask), self.dropout, self.norm2)
        x = residual(x, self.feed_forward(x), self.dropout, self.norm3)
        return x


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
            x = layer(x, memory, target_mask=target_mask, memory_mask=memory_mask)
        return x


class Transformer(nn.Module):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, n_heads, d_ff, n_layers, pad=0, dropout=0.1):
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
        return (source != self.pad).unsqueeze(1).unsqueeze(1)

    def target_mask(self, target):
        length = target.size(1)
        not_pad = (target != self.pad).unsqueeze(1).unsqueeze(1)   # (B, 1, 1, T)
        return not_pad & causal(length, target.device)             # (B, 1, T, T)

    def embed(self, embedding, tokens):
        x = embedding(tokens) * math.sqrt(self.d_model)
        x = x + positional_encoding(tokens.size(1), self.d_model).type_as(x)
        return self.dropout(x)

    def encode(self, source):
        return self.encoder(self.embed(self.source_embedding, source), self.source_mask(source))

    def decode(self, target, memory, memory_mask=None):
        x = self.embed(self.target_embedding, target)
        return self.decoder(x, memory, self.target_mask(target), memory_mask)

    def forward(self, source, target):
        src_mask = self.source_mask(source)
        memory = self.encode(source)
        return self.output(self.decode(target, memory, src_mask))


def sequence_loss(logits, labels, pad):
    log_p = F.log_softmax(logits, dim=-1)
    real = labels != pad
    picked = log_p[real].gather(1, labels[real].unsqueeze(1))
    return -picked.sum() / real.sum()


def training_step(model, optimizer, source, target):
    optimizer.zero_grad()
    output = model(source, target[:, :-1])
    loss = sequence_loss(output, target[:, 1:], model.pad)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def warmup_learning_rate(step, d_model, warmup):
    if step < warmup:
        return d_model ** -0.5 * step * warmup ** -1.5
    return d_model ** -0.5 * step ** -0.5


def greedy_decode(model, source, start, end, max_length):
    mode = model.training
    try:
        model.eval()
        with torch.no_grad():
            out = torch.full((source.size(0), 1), start, dtype=torch.long, device=source.device)
            finished = torch.zeros(source.size(0), dtype=torch.bool, device=source.device)
            for _ in range(max_length - 1):
                logits = model(source, out)              # (B, n, V)
                next_token = logits[:, -1, :].argmax(dim=-1)
                next_token = torch.where(finished, torch.full_like(next_token, end), next_token)
                out = torch.cat([out, next_token.unsqueeze(1)], dim=1)
                finished |= next_token == end
                if finished.all():
                    break
    finally:
        model.train(mode)
    return out


if __name__ == "__main__":
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    model = Transformer(12, 12, d_model=32, n_heads=4, d_ff=64, n_layers=2, dropout=0.0).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
    losses = []
    for step in range(1, 301):
        body = torch.randint(3, 12, (32, 6), device=device)
        target = torch.cat([torch.full((32, 1), 1, device=device), body, torch.full((32, 1), 2, device=device)], 1)
        for group in optimizer.param_groups:
            group["lr"] = warmup_learning_rate(step, 32, 100)
        losses.append(training_step(model, optimizer, body, target))
        if step % 100 == 0:
            print(step, round(losses[-1], 4))
