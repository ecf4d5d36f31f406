import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Cache = tuple[Tensor, Tensor]  # keys and values of one layer, each (B, H, S, D/H)


class CausalSelfAttention(nn.Module):

    def __init__(self, d_model: int, n_heads: int) -> None:
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

    def forward(self, x: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        # YOUR CODE HERE
        heads = self.n_heads
        batch, new, width = x.shape
        old = cache[0].shape[2] if cache is not None else 0
        keys = x.new_empty(batch, heads, old + new, width // heads)
        values = torch.empty_like(keys)
        if cache is not None:
            keys[:, :, :old], values[:, :, :old] = cache
        keys[:, :, old:] = self.w_k(x).unflatten(2, (heads, -1)).movedim(1, 2)
        values[:, :, old:] = self.w_v(x).unflatten(2, (heads, -1)).movedim(1, 2)
        queries = self.w_q(x).unflatten(2, (heads, -1)).movedim(1, 2)
        scores = queries @ keys.mT * (width // heads) ** -0.5
        hidden = torch.ones(new, old + new).triu(old + 1).bool()
        scores[:, :, hidden] = float("-inf")
        mixed = (scores - scores.amax(-1, keepdim=True).detach()).exp()
        mixed = mixed / mixed.sum(-1, keepdim=True)
        return self.w_o((mixed @ values).movedim(1, 2).flatten(2)), (keys, values)


class Block(nn.Module):

    def __init__(self, d_model: int, n_heads: int, d_mlp: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = CausalSelfAttention(d_model, n_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.linear1 = nn.Linear(d_model, d_mlp)
        self.linear2 = nn.Linear(d_mlp, d_model)

    def forward(self, x: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        # YOUR CODE HERE
        attended, kept = self.attention(self.norm1(x), cache)
        middle = x + attended
        inner = self.linear1(self.norm2(middle))
        inner = inner * 0.5 * (1.0 + torch.erf(inner / 2**0.5))
        return middle + self.linear2(inner), kept


class CharLM(nn.Module):

    def __init__(
        self,
        vocabulary: int,
        context: int,
        d_model: int,
        n_heads: int,
        d_mlp: int,
        n_layers: int,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, d_model)
        self.positions = nn.Embedding(context, d_model)
        self.blocks = nn.ModuleList(Block(d_model, n_heads, d_mlp) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.1)  # small: the embedding is the output layer too

    def forward(
        self, tokens: Tensor, caches: list[Cache] | None = None
    ) -> tuple[Tensor, list[Cache]]:
        # YOUR CODE HERE
        seen = sum(cache[0].size(2) for cache in caches[:1]) if caches else 0
        vectors = self.embedding(tokens) + self.positions.weight[seen:][: tokens.size(1)]
        after = []
        for number, block in enumerate(self.blocks):
            vectors, cache = block(vectors, caches[number] if caches else None)
            after.append(cache)
        return self.norm(vectors).matmul(self.embedding.weight.mT), after


def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    # YOUR CODE HERE
    total = 0.0
    for t in range(1, tokens.shape[1]):
        total = total + F.cross_entropy(logits[:, t - 1], tokens[:, t], reduction="sum")
    return total / (tokens.shape[0] * (tokens.shape[1] - 1))


def train(model: CharLM, windows: Tensor, steps: int, learning_rate: float) -> list[float]:
    # YOUR CODE HERE
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)

    def closure():
        optimiser.zero_grad()
        loss = next_token_loss(model(windows)[0], windows)
        loss.backward()
        return loss

    return [float(optimiser.step(closure)) for _ in range(steps)]


def generate(model: CharLM, prompt: Tensor, count: int) -> Tensor:
    # YOUR CODE HERE
    length = prompt.shape[1]
    text = torch.full((prompt.shape[0], length + count), -1)
    text[:, :length] = prompt
    caches, read = None, 0
    with torch.inference_mode():
        for end in range(length, length + count):
            logits, caches = model(text[:, read:end], caches)
            text[:, end] = logits[:, -1].argmax(-1)
            read = end
    return text
