import math
import torch
import torch.nn.functional as F
from torch import Tensor, nn

class MultiHeadAttention(nn.Module):

    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(f'd_model must be a multiple of n_heads, got d_model={d_model}, n_heads={n_heads}')
        self.n_heads = n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        q = self.w_q(query).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        k = self.w_k(key).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        v = self.w_v(value).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        joined = heads.transpose(1, 2).flatten(2)
        return self.w_o(joined)

def positional_encoding(length, d_model):
    w = 10000.0 ** (-torch.linspace(0, 1, d_model // 2 + 1)[:-1])
    a = torch.outer(torch.arange(length, dtype=w.dtype), w)
    return torch.cat((a.sin()[..., None], a.cos()[..., None]), -1).flatten(1)

class FeedForward(nn.Module):

    def __init__(self, d_model, d_ff):
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x):
        z = self.linear1(x)
        return self.linear2(z * (z > 0))

class EncoderLayer(nn.Module):

    def __init__(self, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        d = self.dropout
        y = self.norm1(x + d(self.self_attention(x, x, x, mask)))
        return self.norm2(y + d(self.feed_forward(y)))

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
        d, m = (self.dropout, memory)
        x = self.norm1(x + d(self.self_attention(x, x, x, target_mask)))
        x = self.norm2(x + d(self.cross_attention(x, m, m, memory_mask)))
        return self.norm3(x + d(self.feed_forward(x)))

class Encoder(nn.Module):

    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList((EncoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)))

    def forward(self, x, mask=None):
        for l in self.layers:
            x = l(x, mask)
        return x

class Decoder(nn.Module):

    def __init__(self, n_layers, d_model, n_heads, d_ff, dropout=0.1):
        super().__init__()
        self.layers = nn.ModuleList((DecoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)))

    def forward(self, x, memory, target_mask=None, memory_mask=None):
        for l in self.layers:
            x = l(x, memory, target_mask, memory_mask)
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
        return (source != self.pad)[:, None, None]

    def target_mask(self, target):
        return (target != self.pad)[:, None].expand(-1, target.size(1), -1).tril()[:, None]

    def embed(self, embedding, tokens):
        e = embedding(tokens)
        return self.dropout(e * self.d_model ** 0.5 + positional_encoding(*e.shape[1:]).to(e))

    def encode(self, source):
        return self.encoder(self.embed(self.source_embedding, source), self.source_mask(source))

    def decode(self, target, memory, memory_mask=None):
        return self.decoder(self.embed(self.target_embedding, target), memory, self.target_mask(target), memory_mask)

    def forward(self, source, target):
        return self.output(self.decode(target, self.encode(source), self.source_mask(source)))

def sequence_loss(logits, labels, pad):
    k = labels != pad
    l, y = (logits[k], labels[k])
    return (l.logsumexp(-1) - l.gather(-1, y[:, None])[:, 0]).mean()

def training_step(model, optimizer, source, target):
    for g in optimizer.param_groups:
        for p in g['params']:
            p.grad = None
    l = sequence_loss(model(source, target[:, :-1]), target[:, 1:], model.pad)
    l.backward()
    optimizer.step()
    return l.item()

def warmup_learning_rate(step, d_model, warmup):
    return (d_model * max(step, warmup ** 3 / step ** 2)) ** (-0.5)

@torch.no_grad()
def greedy_decode(model, source, start, end, max_length):
    m = model.training
    model.eval()
    try:
        b = len(source)
        t = torch.full((b, 1), start, device=source.device)
        e = torch.zeros(b, dtype=torch.bool, device=source.device)
        while t.shape[1] < max_length and (not e.all()):
            y = model(source, t)[:, -1].max(-1).indices
            y[e] = end
            e = e | (y == end)
            t = torch.cat((t, y[:, None]), 1)
        return t
    finally:
        model.train(m)
