# %% [markdown]
# # The transformer
#
# Vaswani et al., *Attention Is All You Need*, 2017, sections 3.1 (encoder and decoder), 3.3
# (feed-forward), 3.4 (embedding), 3.5 (positional encoding), 5.3 (learning rate), 5.4 (dropout).
#
# You build the model around attention, which is given: positions, blocks, stacks, the whole, its
# loss, a training step, and decoding.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `S` | source: length of the encoder's sequence |
# | `T` | target: length of the decoder's sequence |
# | `D` | `d_model`: one vector of the model |
# | `H` | heads |
# | `F` | `d_ff`: hidden layer of the feed-forward network |
# | `V` | target vocabulary |
#
# **Against `torch.nn.Transformer`.**
#
# - In a mask `True` means *may attend*. (There, `True` means *may not*.)
# - Batch first, and the norm comes after the residual sum (there too, by default: `norm_first`).
# - Dropout on the output of each sublayer and on the embeddings, as in the paper. (There, also on
#   the attention weights and inside the feed-forward network.)
# - No norm after the last layer of a stack. (There, one for each stack.)
# - Embeddings, positions and the output layer belong to the model; the two embeddings and the
#   output layer do not share weights. (In the paper they do.)

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## Given: multi-head attention
#
# As in the assignment on multi-head attention, but it returns the output only. Nothing to do here.

# %%
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

# %% [markdown]
# ## Positions
#
# Attention does not know the order of its keys, so each position $p$ gets a fixed vector, with a
# sine in the even and a cosine in the odd columns, $0 \le i < D/2$:
#
# $$PE_{p, 2i} = \sin\left(\frac{p}{10000^{2i/D}}\right)$$
#
# $$PE_{p, 2i+1} = \cos\left(\frac{p}{10000^{2i/D}}\right)$$

# %%
def positional_encoding(length: int, d_model: int) -> Tensor:
    """Sine and cosine positional encoding, interleaved."""
    dtype = torch.get_default_dtype()
    freq = 10000 ** (-torch.arange(0, d_model, 2, dtype=dtype) / d_model)
    # grow the table by doubling, this is faster than a loop over positions
    position = torch.arange(3, dtype=dtype)
    while len(position) != length:
        position = torch.cat([position, position + len(position)])
    angle = position[:, None] * freq
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

# %% [markdown]
# ## Blocks
#
# The feed-forward network treats each position alone:
#
# $$\mathrm{FFN}(x) = \max(0, x W_1 + b_1) W_2 + b_2$$
#
# Around every sublayer, attention or feed-forward, stand dropout, a residual sum and a norm:
#
# $$\mathrm{LayerNorm}(x + \mathrm{dropout}(\mathrm{sublayer}(x)))$$

# %%
class FeedForward(nn.Module):
    """Two linear layers with a ReLU between, applied to each position alone."""

    def __init__(self, d_model: int, d_ff: int) -> None:
        """Make `linear1`, D to F, and `linear2`, F to D."""
        super().__init__()
        self.linear1 = nn.Linear(d_model, d_ff)
        self.linear2 = nn.Linear(d_ff, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position, without dropout."""
        return self.linear2(F.relu(self.linear1(x)))

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
        """Apply both sublayers; `norm1` follows attention, `norm2` feed-forward."""
        x = self.norm1(x + self.dropout(self.self_attention(x, x, x, mask)))
        return self.norm2(x + self.dropout(self.feed_forward(x)))

# %% [markdown]
# A decoder layer has one sublayer more. Between self-attention and feed-forward, each target
# position asks (query) and the encoder's output, the memory, answers (key and value).

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
        """Apply the three sublayers, followed by `norm1`, `norm2` and `norm3` in this order."""
        x = self.norm1(x + self.dropout(self.self_attention(x, x, x, target_mask)))
        x = self.norm2(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
        return self.norm3(x + self.dropout(self.feed_forward(x)))

# %% [markdown]
# ## Stacks
#
# Layers one after another, each with its own weights. Every decoder layer reads the same memory.

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
        """Apply every layer in turn."""
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
        """Apply every layer in turn, each to the same memory."""
        for layer in self.layers:
            x = layer(x, memory, target_mask, memory_mask)
        return x

# %% [markdown]
# ## The whole
#
# Token $y$ at position $p$ enters as $\sqrt{D}$ times its embedding plus the encoding of its
# position:
#
# $$x_p = \mathrm{dropout}(\sqrt{D} E_y + PE_p)$$
#
# Source positions may not look at padding; target positions may look neither at padding nor ahead.

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
        return (source != self.pad)[:, None, None, :]

    def target_mask(self, target: Tensor) -> Tensor:
        """Hide the target's padding and, from each position, all later ones."""
        length = target.shape[1]
        causal_part = torch.ones(length, length, dtype=torch.bool, device=target.device).tril()
        return (target != self.pad)[:, None, None, :] & causal_part

    def embed(self, embedding: nn.Embedding, tokens: Tensor) -> Tensor:
        """Embed tokens, scale by sqrt(D), add the positional encoding, apply dropout."""
        x = embedding(tokens) * math.sqrt(self.d_model)
        pe = positional_encoding(tokens.shape[1], self.d_model).to(x)
        return self.dropout(x + pe)

    def encode(self, source: Tensor) -> Tensor:
        """Run the encoder on a source, masking its padding."""
        return self.encoder(self.embed(self.source_embedding, source), self.source_mask(source))

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Run the decoder on a target, masking its padding and the future."""
        x = self.embed(self.target_embedding, target)
        return self.decoder(x, memory, self.target_mask(target), memory_mask)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Predict, at each target position, the token that comes next."""
        memory = self.encode(source)
        decoded = self.decode(target, memory, self.source_mask(source))
        return self.output(decoded)

# %% [markdown]
# ## Loss and training
#
# The mean cross-entropy over the labels that are not padding. While training, the decoder sees the
# target without its last token and is asked for the target without its first:
#
# | | | | | |
# | --- | --- | --- | --- | --- |
# | decoder sees | `<start>` | `I` | `am` | `here` |
# | label | `I` | `am` | `here` | `<end>` |

# %%
def sequence_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    """Mean cross-entropy over all labels that are not padding."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=pad)

# %%
def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    """Make one update by teacher forcing."""
    optimizer.zero_grad()
    logits = model(source, target[:, :-1])
    loss = sequence_loss(logits, target[:, 1:], model.pad)
    loss.backward()
    optimizer.step()
    return loss.item()

# %% [markdown]
# The learning rate rises for $w$ steps and then falls; $t$ counts from 1:
#
# $$\eta_t = D^{-1/2} \min(t^{-1/2}, t w^{-3/2})$$

# %%
def warmup_learning_rate(step: int, d_model: int, warmup: int) -> float:
    """Learning rate of one step: linear warm-up, then decay by the inverse square root."""
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)

# %% [markdown]
# ## Decoding
#
# Begin with the start token. Ask the model for the next one, take the likeliest, append it, and ask
# again, until every sentence has ended or the limit is reached.

# %%
def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    """Decode the likeliest token at each step."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            batch = source.shape[0]
            tokens = torch.full((batch, 1), start, dtype=torch.int64, device=source.device)
            done = torch.zeros(batch, dtype=torch.bool, device=source.device)
            while tokens.shape[1] < max_length and not done.all():
                best = model(source, tokens)[:, -1].argmax(dim=-1)
                best = best.masked_fill(done, end)
                tokens = torch.cat([tokens, best[:, None]], dim=1)
                done = done | (best == end)
    finally:
        model.train(was_training)
    return tokens
