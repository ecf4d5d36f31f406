import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Cache = tuple[Tensor, Tensor]  # keys and values of one layer, each (B, H, S, D/H)


class CausalSelfAttention(nn.Module):
    """Multi-head self-attention over the past, with a cache."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Make the four projections, D to D; each head gets `d_model // n_heads` columns."""
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
        """Let every new token look at itself and at all before it."""
        # YOUR CODE HERE
        size = x.shape[-1] // self.n_heads
        q, k, v = (
            torch.stack(layer(x).split(size, dim=-1), dim=1) for layer in (self.w_q, self.w_k, self.w_v)
        )
        old = 0
        if cache is not None:
            old = cache[0].shape[-2]
            k, v = torch.cat((cache[0], k), -2), torch.cat((cache[1], v), -2)
        rows = []
        for t in range(x.shape[1]):
            seen = old + t + 1
            scores = (q[:, :, t, None] * k[:, :, :seen]).sum(-1) / size**0.5
            weights = torch.softmax(scores, -1)
            rows.append((weights[..., None] * v[:, :, :seen]).sum(-2).flatten(1))
        return self.w_o(torch.stack(rows, 1)), (k, v)


class Block(nn.Module):
    """Causal attention and MLP, each with a norm before it and a residual around both."""

    def __init__(self, d_model: int, n_heads: int, d_mlp: int) -> None:
        """Make both parts and a norm for each."""
        super().__init__()
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = CausalSelfAttention(d_model, n_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.linear1 = nn.Linear(d_model, d_mlp)
        self.linear2 = nn.Linear(d_mlp, d_model)

    def forward(self, x: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Apply attention, then the MLP."""
        # YOUR CODE HERE
        z, new_cache = self.attention(self.norm1(x), cache=cache)
        z = z + x
        hidden = nn.functional.gelu(self.linear1(self.norm2(z)))
        return self.linear2(hidden) + z, new_cache


class CharLM(nn.Module):
    """From tokens to the logits of the token after each."""

    def __init__(
        self,
        vocabulary: int,
        context: int,
        d_model: int,
        n_heads: int,
        d_mlp: int,
        n_layers: int,
    ) -> None:
        """Make the embedding (V, D), the positions (context, D), the blocks and the last norm."""
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
        """Read tokens and say what follows each."""
        # YOUR CODE HERE
        kept = [None] * len(self.blocks) if caches is None else list(caches)
        start = 0 if kept[0] is None else kept[0][1].shape[-2]
        x = self.embedding.weight[tokens] + self.positions.weight[start : start + tokens.shape[1]]
        for i in range(len(kept)):
            x, kept[i] = self.blocks[i](x, kept[i])
        return F.linear(self.norm(x), self.embedding.weight), kept


def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross-entropy of each token but the first, given those before it."""
    # YOUR CODE HERE
    log_p = logits.log_softmax(-1)
    right = log_p[:, :-1].gather(2, tokens[:, 1:, None])
    return -right.mean()


def train(model: CharLM, windows: Tensor, steps: int, learning_rate: float) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default."""
    # YOUR CODE HERE
    adam = torch.optim.Adam(model.parameters(), learning_rate)
    history = []
    for _ in range(steps):
        loss = next_token_loss(model(windows)[0], windows)
        model.zero_grad()
        loss.backward()
        adam.step()
        history.append(float(loss.detach()))
    return history


def generate(model: CharLM, prompt: Tensor, count: int) -> Tensor:
    """Continue each prompt by its likeliest next token, again and again."""
    # YOUR CODE HERE
    rows = []
    for row in prompt:
        text = row[None]
        for _ in range(count):
            with torch.no_grad():
                logits = model(text)[0]
            text = torch.cat([text, logits[:, -1].topk(1).indices], 1)
        rows.append(text)
    return torch.cat(rows)
