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
        B, T, D = x.shape
        d = D // self.n_heads
        q = self.w_q(x).reshape(B, T, self.n_heads, d).transpose(1, 2)
        k = self.w_k(x).reshape(B, T, self.n_heads, d).transpose(1, 2)
        v = self.w_v(x).reshape(B, T, self.n_heads, d).transpose(1, 2)
        if cache is not None:
            past_k, past_v = cache
            k = torch.cat([past_k, k], dim=2)
            v = torch.cat([past_v, v], dim=2)
        S = k.shape[2]
        mask = torch.triu(torch.ones(T, S, dtype=torch.bool), diagonal=S - T + 1)
        att = q @ k.transpose(-2, -1) / math.sqrt(d)
        att = att.masked_fill(mask, float("-inf"))
        out = torch.softmax(att, dim=-1) @ v
        out = out.transpose(1, 2).reshape(B, T, D)
        return self.w_o(out), (k, v)


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
        a, cache = self.attention(self.norm1(x), cache)
        x = x + a
        x = x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return x, cache


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
        pos = torch.arange(tokens.shape[1])
        x = self.embedding(tokens) + self.positions(pos)
        new_caches = []
        for i, block in enumerate(self.blocks):
            x, c = block(x, None if caches is None else caches[i])
            new_caches.append(c)
        return self.norm(x) @ self.embedding.weight.t(), new_caches


def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross-entropy of each token but the first, given those before it."""
    # YOUR CODE HERE
    V = logits.shape[-1]
    return F.cross_entropy(logits[:, :-1].reshape(-1, V), tokens[:, 1:].reshape(-1))


def train(model: CharLM, windows: Tensor, steps: int, learning_rate: float) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default."""
    # YOUR CODE HERE
    opt = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(steps):
        logits, _ = model(windows)
        loss = next_token_loss(logits, windows)
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.step()
    return losses


def generate(model: CharLM, prompt: Tensor, count: int) -> Tensor:
    """Continue each prompt by its likeliest next token, again and again."""
    # YOUR CODE HERE
    out = prompt
    caches = None
    new = prompt
    with torch.no_grad():
        for _ in range(count):
            logits, caches = model(new, caches)
            new = logits[:, -1:].argmax(dim=-1)
            out = torch.cat([out, new], dim=1)
    return out


if __name__ == "__main__":
    sonnet = """\
Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date:
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimmed,
And every fair from fair sometime declines,
By chance, or nature's changing course untrimmed:
But thy eternal summer shall not fade,
Nor lose possession of that fair thou ow'st,
Nor shall death brag thou wander'st in his shade,
When in eternal lines to time thou grow'st,
So long as men can breathe or eyes can see,
So long lives this, and this gives life to thee.
"""
    alphabet = sorted(set(sonnet))
    codes = torch.tensor([alphabet.index(character) for character in sonnet])  # (622,)
    windows = codes.unfold(0, 33, 6)  # (99, 33)


if __name__ == "__main__":
    torch.manual_seed(0)
    model = CharLM(len(alphabet), context=80, d_model=48, n_heads=4, d_mlp=96, n_layers=2)
    losses = train(model, windows, steps=150, learning_rate=5e-3)
    print(f"{len(windows)} windows, loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    prompt = torch.tensor([[alphabet.index(character) for character in "Shall I"]])
    written = generate(model, prompt, count=26)[0].tolist()
    print("".join(alphabet[code] for code in written))
