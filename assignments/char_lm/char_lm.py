# %% [markdown]
# # A character language model
#
# Radford et al., *Improving Language Understanding by Generative Pre-Training*, 2018, section 3.1
# (the decoder-only transformer, equation 2), with the norms of Radford et al., *Language Models are
# Unsupervised Multitask Learners*, 2019, section 2.3; Press and Wolf, *Using the Output Embedding
# to Improve Language Models*, 2017, section 3 (one matrix for input and output).
#
# You build a transformer that reads text from left to right and says, at every character, which
# comes next. Then you let it write: one character at a time, with a cache of keys and values, so
# that nothing is computed twice.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `T` | tokens that are read in this call |
# | `S` | tokens that were read so far, those of this call among them |
# | `V` | vocabulary |
# | `D` | `d_model`: one vector of the model |
# | `H` | heads |
# | `L` | layers (blocks) |
#
# **Against `torch.nn`.** There is no decoder-only model there; a `TransformerEncoderLayer` with
# `norm_first=True`, GELU and a causal mask computes what a block does here, but it has no cache.
# The output layer has no weights of its own: it is the embedding, transposed. No dropout.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Cache = tuple[Tensor, Tensor]  # keys and values of one layer, each (B, H, S, D/H)

# %% [markdown]
# ## Attention that looks back
#
# Token $i$ may look at itself and at what came before it, and at nothing else. In each head:
#
# $$A_{ij} = \mathrm{softmax}_j\left(\frac{q_i \cdot k_j}{\sqrt{D/H}}\right)
# \text{ over } j \le i, \qquad \mathrm{output}_i = [\dots, \sum_j A_{ij} v_j, \dots] W_o + b_o$$
#
# Keys and values of a token never change once it has been read, since it sees nothing that comes
# later. So they are kept: a call gets those of all earlier tokens and returns them with its own.


# %%
class CausalSelfAttention(nn.Module):
    """Multi-head self-attention over the past, with a cache."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        """Make the four projections, D to D; each head gets `d_model // n_heads` columns.

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

    def forward(self, x: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Let every new token look at itself and at all before it.

        Args:
            x: the new tokens, (B, T, D).
            cache: `(keys, values)` of all earlier tokens, each (B, H, S - T, D/H); None at the
                beginning of a text.

        Returns:
            `(output, (keys, values))`: (B, T, D); and those of all tokens so far, the new ones
            last, each (B, H, S, D/H).
        """
        # YOUR CODE HERE
        raise NotImplementedError


# %% [markdown]
# ## A block
#
# As in the second of the papers, each part has a norm before it and a residual around both
# (pre-norm):
#
# $$z' = z + \mathrm{attention}(\mathrm{norm}_1(z)), \qquad
# z'' = z' + W_2 \, \mathrm{GELU}(W_1 \, \mathrm{norm}_2(z') + b_1) + b_2$$


# %%
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
        """Apply attention, then the MLP.

        Args:
            x: the new tokens, (B, T, D).
            cache: as attention takes it.

        Returns:
            `(x, cache)`: the new tokens, (B, T, D), and what attention returns as its cache.
        """
        # YOUR CODE HERE
        raise NotImplementedError


# %% [markdown]
# ## The model
#
# Token $y$ at place $p$ of the text, counted from 0, enters as the sum of two rows that are
# learned. After the blocks and a last norm, each vector is compared with every row of the same
# embedding:
#
# $$z_p = E_y + P_p, \qquad \mathrm{logits}_p = E \, \mathrm{norm}(z_p)$$


# %%
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
        """Make the embedding (V, D), the positions (context, D), the blocks and the last norm.

        `context` is the length of the longest text that the model can read.
        """
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
        """Read tokens and say what follows each.

        Args:
            tokens: the new tokens, int64, (B, T).
            caches: the cache of each block after all earlier tokens; None at the beginning.

        Returns:
            `(logits, caches)`: (B, T, V), where row t is about the token after token t; and the
            cache of each block, from the first to the last.
        """
        # YOUR CODE HERE
        raise NotImplementedError


# %% [markdown]
# ## The loss
#
# The text is its own target, shifted by one: logits at $t$ are judged by the token at $t + 1$.
# Nothing is known of what follows the last token, so its logits are not judged.
#
# $$L = \frac{1}{B (T - 1)} \sum_{b=1}^{B} \sum_{t=0}^{T-2} -\log p_{b,t}(y_{b,t+1})$$


# %%
def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross-entropy of each token but the first, given those before it.

    Args:
        logits: (B, T, V).
        tokens: what the model read to give these logits, int64, (B, T), with T at least 2.

    Returns:
        The loss, ().
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## Training
#
# Adam, with all windows of the text in every step.


# %%
def train(model: CharLM, windows: Tensor, steps: int, learning_rate: float) -> list[float]:
    """Train in place: `torch.optim.Adam` with this learning rate, everything else as by default.

    Args:
        model: gives `(logits, caches)` for tokens.
        windows: pieces of the text, int64, (B, T), all of them used in every step.
        steps: number of updates.
        learning_rate: the same in every step.

    Returns:
        The loss of each step, computed before that step's update: `steps` floats.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## Writing
#
# The prompt is read at once; then each new token is read alone, and the cache knows the rest. What
# comes out is the same as if the whole text were read anew each time, at a fraction of the cost.


# %%
def generate(model: CharLM, prompt: Tensor, count: int) -> Tensor:
    """Continue each prompt by its likeliest next token, again and again.

    Args:
        model: gives `(logits, caches)` for tokens and caches.
        prompt: int64, (B, T), with T at least 1; T + count is at most the model's context.
        count: number of new tokens.

    Returns:
        Prompt and continuation, int64, (B, T + count).
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## Try it: a sonnet
#
# Shakespeare's eighteenth sonnet, 1609, in windows of 33 characters. The next cells run in a
# notebook (or with `python char_lm.py`), not when the module is imported.

# %%
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

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    model = CharLM(len(alphabet), context=80, d_model=48, n_heads=4, d_mlp=96, n_layers=2)
    losses = train(model, windows, steps=150, learning_rate=5e-3)
    print(f"{len(windows)} windows, loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    prompt = torch.tensor([[alphabet.index(character) for character in "Shall I"]])
    written = generate(model, prompt, count=26)[0].tolist()
    print("".join(alphabet[code] for code in written))
