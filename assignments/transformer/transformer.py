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
        """Make the four projections; each head gets `d_model // n_heads` columns.

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

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Attend from `query` to `key`, in every head, and mix `value`.

        Args:
            query: (B, L_q, D).
            key: (B, L_k, D).
            value: (B, L_k, D).
            mask: bool, broadcastable to (B, H, L_q, L_k), True = may attend; None = all may.

        Returns:
            (B, L_q, D). For a query that may attend to nothing every head gives zeros.

        Raises:
            ValueError: keys and values are not of the same number (torch would not notice).
        """
        if key.size(1) != value.size(1):
            raise ValueError(
                f"expected as many values as keys, got {value.size(1)} and {key.size(1)}"
            )
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
    """Sine and cosine positional encoding, interleaved.

    Args:
        length: number of positions, counted from 0.
        d_model: D, an even number.

    Returns:
        (length, D), in torch's default dtype and computed in it throughout.
    """
    # YOUR CODE HERE
    raise NotImplementedError


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
        """Transform each position, without dropout.

        Args:
            x: (..., D).

        Returns:
            (..., D).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
        """Apply both sublayers; `norm1` follows attention, `norm2` feed-forward.

        Args:
            x: (B, S, D).
            mask: bool, broadcastable to (B, H, S, S), True = may attend; None = all may.

        Returns:
            (B, S, D).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
        """Apply the three sublayers, followed by `norm1`, `norm2` and `norm3` in this order.

        Args:
            x: the target so far, (B, T, D).
            memory: the encoder's output, (B, S, D).
            target_mask: for self-attention, bool, broadcastable to (B, H, T, T), True = may attend.
            memory_mask: for cross-attention, bool, broadcastable to (B, H, T, S), likewise.

        Returns:
            (B, T, D).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
        """Apply every layer in turn.

        Args:
            x: (B, S, D).
            mask: bool, broadcastable to (B, H, S, S), True = may attend; None = all may.

        Returns:
            (B, S, D).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
        """Apply every layer in turn, each to the same memory.

        Args:
            x: the target so far, (B, T, D).
            memory: the encoder's output, (B, S, D).
            target_mask: bool, broadcastable to (B, H, T, T), True = may attend; None = all may.
            memory_mask: bool, broadcastable to (B, H, T, S), likewise.

        Returns:
            (B, T, D).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
        """Make embeddings, stacks of `n_layers` each, and the output layer, D to V.

        `pad` is the number of the padding token, the same in source and target.
        """
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
        """Hide the source's padding.

        Args:
            source: token numbers, int64, (B, S).

        Returns:
            bool, (B, 1, 1, S), True = may attend. Serves self-attention in the encoder and
            cross-attention in the decoder.
        """
        # YOUR CODE HERE
        raise NotImplementedError

    def target_mask(self, target: Tensor) -> Tensor:
        """Hide the target's padding and, from each position, all later ones.

        Args:
            target: token numbers, int64, (B, T).

        Returns:
            bool, (B, 1, T, T), True = may attend: the key is no padding and not later.
        """
        # YOUR CODE HERE
        raise NotImplementedError

    def embed(self, embedding: nn.Embedding, tokens: Tensor) -> Tensor:
        """Embed tokens, scale by sqrt(D), add the positional encoding, apply dropout.

        Args:
            embedding: `self.source_embedding` or `self.target_embedding`.
            tokens: token numbers, int64, (B, L).

        Returns:
            (B, L, D), of the embedding's dtype and device.
        """
        # YOUR CODE HERE
        raise NotImplementedError

    def encode(self, source: Tensor) -> Tensor:
        """Run the encoder on a source, masking its padding.

        Args:
            source: token numbers, int64, (B, S).

        Returns:
            The memory, (B, S, D).
        """
        # YOUR CODE HERE
        raise NotImplementedError

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Run the decoder on a target, masking its padding and the future.

        Args:
            target: token numbers, int64, (B, T).
            memory: the encoder's output, (B, S, D).
            memory_mask: bool, broadcastable to (B, H, T, S), True = may attend; None = all may.

        Returns:
            The last decoder layer's output, (B, T, D): before the output layer.
        """
        # YOUR CODE HERE
        raise NotImplementedError

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Predict, at each target position, the token that comes next.

        Args:
            source: token numbers, int64, (B, S), padded with `pad`.
            target: token numbers, int64, (B, T), padded with `pad`.

        Returns:
            Logits (not probabilities), (B, T, V).
        """
        # YOUR CODE HERE
        raise NotImplementedError


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
    """Mean cross-entropy over all labels that are not padding.

    Args:
        logits: (B, T, V).
        labels: token numbers, int64, (B, T), at least one of them not `pad`.
        pad: the label that does not count.

    Returns:
        The loss, (), the same however much padding is appended.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %%
def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    """Make one update by teacher forcing.

    Args:
        model: maps `(source, target)` to logits and has the attribute `pad`. Its train or eval
            mode is the caller's affair and stays as it is.
        optimizer: holds the model's parameters. Gradients left from before do not count.
        source: token numbers, int64, (B, S).
        target: token numbers, int64, (B, T+1): start token, sentence, end token, padding.

    Returns:
        The loss before the update.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# The learning rate rises for $w$ steps and then falls; $t$ counts from 1:
#
# $$\eta_t = D^{-1/2} \min(t^{-1/2}, t w^{-3/2})$$


# %%
def warmup_learning_rate(step: int, d_model: int, warmup: int) -> float:
    """Learning rate of one step: linear warm-up, then decay by the inverse square root.

    Args:
        step: number of the update, from 1.
        d_model: D.
        warmup: the step at which the rate is greatest.

    Returns:
        The learning rate, a Python float.
    """
    # YOUR CODE HERE
    raise NotImplementedError


# %% [markdown]
# ## Decoding
#
# Begin with the start token. Ask the model for the next one, take the likeliest, append it, and ask
# again, until every sentence has ended or the limit is reached.


# %%
def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    """Decode the likeliest token at each step.

    Of the model, only `model(source, tokens)` and its train or eval mode are used: it decodes in
    eval mode, and is in the mode it had before when the function returns or raises.

    Args:
        model: maps source (B, S) and the tokens so far (B, n) to logits (B, n, V).
        source: token numbers, int64, (B, S); not altered.
        start: the token in the first column.
        end: the token that ends a row; the row is filled with it from there on.
        max_length: the greatest number of columns, the first one included; at least 1.

    Returns:
        int64, (B, n), n at most `max_length`: stops as soon as every row has produced `end`.
        Nothing in it carries a gradient.
    """
    # YOUR CODE HERE
    raise NotImplementedError
