# %% [markdown]
# # Sequence to sequence, with attention
#
# Sutskever, Vinyals and Le, *Sequence to Sequence Learning with Neural Networks*, 2014, section 2
# (encoder and decoder); Luong, Pham and Manning, *Effective Approaches to Attention-based Neural
# Machine Translation*, 2015, section 3.1 (global attention, with the dot product as its score).
#
# You build a model that reads a sequence of one vocabulary and writes one of another, of another
# length: encoder, attention, decoder, the loss and a training step, and decoding. `torch.nn.GRU`
# is given as a building block.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `S` | source: tokens that are read |
# | `T` | target: tokens that are written |
# | `E` | embedding of one token |
# | `H` | hidden state, the same in encoder and decoder |
# | `V` | target vocabulary |
#
# **Against `torch.nn`.** torch has no such model. Its parts are torch's: `torch.nn.Embedding`,
# `torch.nn.GRU` (one layer, batch first) and `torch.nn.Linear`. A GRU of torch wants its state as
# (1, B, H); here a state is (B, H).
#
# **Against the papers.** Encoder and decoder are GRUs of one layer, not LSTMs of four. The decoder
# is not fed its attention vector again (Luong's *input feeding*), so that teacher forcing needs no
# loop.

# %%
import torch
from torch import Tensor, nn

# %% [markdown]
# ## Encoder
#
# The encoder reads the source token by token; its state at every token is the *memory*:
#
# $$m_s = \mathrm{GRU}(E_{x_s}, m_{s-1}), \qquad m_{-1} = 0$$
#
# Sources of one batch have different lengths and are filled up with padding at the end. Padding
# leaves no trace: the memory is zero there, and the last state is that of the last *token*.


# %%
class Encoder(nn.Module):
    """Read a batch of padded sources."""

    def __init__(self, vocabulary: int, embed_size: int, hidden_size: int) -> None:
        """Make the embedding, and a GRU of one layer, batch first."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embed_size)
        self.gru = nn.GRU(embed_size, hidden_size, batch_first=True)

    def forward(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Read the sources from a state of zeros.

        Args:
            source: token numbers, int64, (B, S).
            mask: bool, (B, S), True = a token, False = padding; in each row some tokens, at least
                one, and then padding.

        Returns:
            `(memory, state)`: the state at each token, (B, S, H), zero at padding, and the state
            at each row's last token, (B, H).
        """
        # BEGIN SOLUTION
        embedded = self.embedding(source)  # (B, S, E)
        outputs, _ = self.gru(embedded)  # (B, S, H)
        memory = outputs * mask[:, :, None]  # (B, S, H)
        rows = torch.arange(source.size(0), device=source.device)  # (B,)
        last = mask.sum(dim=1) - 1  # (B,)
        state = outputs[rows, last]  # (B, H)
        return memory, state
        # END SOLUTION


# %% [markdown]
# ## Attention
#
# A state of the decoder asks (query), the memory answers (key and value). The score is the dot
# product, as it is; padding gets no weight at all:
#
# $$a_{t, s} = \mathrm{softmax}_s (q_t \cdot m_s), \qquad c_t = \sum_s a_{t, s} m_s$$


# %%
def attend(query: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Dot-product attention over the memory.

    Args:
        query: (B, T, H).
        memory: (B, S, H).
        mask: bool, (B, S), True = may be attended to; at least one in each row.

    Returns:
        `(context, weights)`: what was found for each query, (B, T, H), and how much each place of
        the memory counted, (B, T, S), each row with the sum 1.
    """
    # BEGIN SOLUTION
    scores = query @ memory.transpose(1, 2)  # (B, T, S)
    hidden = ~mask[:, None, :]  # (B, 1, S)
    scores = scores.masked_fill(hidden, float("-inf"))  # (B, T, S)
    weights = torch.softmax(scores, dim=-1)  # (B, T, S)
    context = weights @ memory  # (B, T, H)
    return context, weights
    # END SOLUTION


# %% [markdown]
# ## Decoder
#
# At step $t$ the decoder reads a target token, asks the memory with its *new* state $h_t$, joins
# what it found with that state, and turns both into one logit for each target word:
#
# $$h_t = \mathrm{GRU}(E_{y_t}, h_{t-1})$$
#
# $$\tilde h_t = \tanh(W_c [c_t; h_t] + b_c), \qquad \mathrm{logits}_t = W_o \tilde h_t + b_o$$


# %%
class Decoder(nn.Module):
    """Write a target, looking back at the memory."""

    def __init__(self, vocabulary: int, embed_size: int, hidden_size: int) -> None:
        """Make the embedding, a GRU as the encoder's, `combine`, 2H to H, `output`, H to V."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embed_size)
        self.gru = nn.GRU(embed_size, hidden_size, batch_first=True)
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, vocabulary)

    def forward(
        self, tokens: Tensor, state: Tensor, memory: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Take one step for each given token.

        Args:
            tokens: token numbers, int64, (B, T); padding is a token like any other here.
            state: the state before the first of them, (B, H).
            memory: (B, S, H).
            mask: bool, (B, S), True = may be attended to.

        Returns:
            `(logits, state)`: logits (not probabilities) for the token after each, (B, T, V), and
            the GRU's state after the last, (B, H). Going on from it equals having gone on.
        """
        # BEGIN SOLUTION
        embedded = self.embedding(tokens)  # (B, T, E)
        first = state.unsqueeze(0)  # (1, B, H)
        hidden, last = self.gru(embedded, first)  # (B, T, H), (1, B, H)
        context, _ = attend(hidden, memory, mask)  # (B, T, H)
        joined = torch.cat([context, hidden], dim=-1)  # (B, T, 2H)
        attentional = torch.tanh(self.combine(joined))  # (B, T, H)
        logits = self.output(attentional)  # (B, T, V)
        return logits, last.squeeze(0)
        # END SOLUTION


# %% [markdown]
# ## The whole
#
# The decoder starts from the encoder's last state. While training it is given the right tokens
# (*teacher forcing*), so one call does all steps. When it writes on its own, it is given the
# likeliest token of its step before.


# %%
class Seq2Seq(nn.Module):
    """Encoder and decoder, from token numbers to logits over the target vocabulary."""

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        embed_size: int,
        hidden_size: int,
        pad: int = 0,
    ) -> None:
        """Make both halves; `pad` is the padding token, the same in source and target."""
        super().__init__()
        self.pad = pad
        self.encoder = Encoder(source_vocabulary, embed_size, hidden_size)
        self.decoder = Decoder(target_vocabulary, embed_size, hidden_size)

    def forward(self, source: Tensor, tokens: Tensor) -> Tensor:
        """Predict, after each given target token, the one that comes next: teacher forcing.

        Args:
            source: token numbers, int64, (B, S), padded with `pad`.
            tokens: the target so far, int64, (B, T), padded with `pad`.

        Returns:
            Logits (not probabilities), (B, T, V).
        """
        # BEGIN SOLUTION
        mask = source != self.pad  # (B, S)
        memory, state = self.encoder(source, mask)  # (B, S, H), (B, H)
        logits, _ = self.decoder(tokens, state, memory, mask)  # (B, T, V)
        return logits
        # END SOLUTION

    def unroll(self, source: Tensor, tokens: Tensor, forced: Tensor) -> Tensor:
        """Predict step by step; where it is not forced, go on from the model's own last word.

        Args:
            source: token numbers, int64, (B, S), padded with `pad`.
            tokens: the target, int64, (B, T).
            forced: bool, (T,). Step t reads `tokens[:, t]` where True, else the likeliest token of
                step t-1. Step 0 has none before it and always reads `tokens[:, 0]`.

        Returns:
            Logits, (B, T, V): those of `forward` where all steps are forced.
        """
        # BEGIN SOLUTION
        mask = source != self.pad  # (B, S)
        memory, state = self.encoder(source, mask)  # (B, S, H), (B, H)
        given = tokens[:, :1]  # (B, 1)
        steps = []
        for t in range(tokens.size(1)):
            if t > 0:
                own = steps[-1].argmax(dim=-1)  # (B, 1)
                given = tokens[:, t : t + 1] if forced[t] else own  # (B, 1)
            logits, state = self.decoder(given, state, memory, mask)  # (B, 1, V), (B, H)
            steps.append(logits)
        return torch.cat(steps, dim=1)  # (B, T, V)
        # END SOLUTION


# %% [markdown]
# ## Loss and training
#
# The mean cross-entropy over the labels that are not padding. The decoder sees the target without
# its last token and is asked for the target without its first:
#
# | | | | | |
# | --- | --- | --- | --- | --- |
# | decoder sees | `<start>` | `I` | `am` | `here` |
# | label | `I` | `am` | `here` | `<end>` |


# %%
def masked_loss(logits: Tensor, labels: Tensor, pad: int) -> Tensor:
    """Mean cross-entropy over all labels that are not padding.

    Args:
        logits: (B, T, V).
        labels: token numbers, int64, (B, T), at least one of them not `pad`.
        pad: the label that does not count.

    Returns:
        The loss, (), the same however much padding is appended.
    """
    # BEGIN SOLUTION
    log_probabilities = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    wanted = log_probabilities.gather(-1, labels[:, :, None])  # (B, T, 1)
    losses = -wanted.squeeze(-1)  # (B, T)
    counts = labels != pad  # (B, T)
    return (losses * counts).sum() / counts.sum()  # ()
    # END SOLUTION


# %%
def training_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, source: Tensor, target: Tensor
) -> float:
    """Make one update by teacher forcing.

    Args:
        model: maps `(source, tokens)` to logits and has the attribute `pad`. Its train or eval
            mode is the caller's affair and stays as it is.
        optimizer: holds the model's parameters. Gradients left from before do not count.
        source: token numbers, int64, (B, S).
        target: token numbers, int64, (B, T+1): start token, sentence, end token, padding.

    Returns:
        The loss before the update.
    """
    # BEGIN SOLUTION
    seen = target[:, :-1]  # (B, T)
    labels = target[:, 1:]  # (B, T)
    optimizer.zero_grad()
    logits = model(source, seen)  # (B, T, V)
    loss = masked_loss(logits, labels, model.pad)  # ()
    loss.backward()
    optimizer.step()
    return loss.item()
    # END SOLUTION


# %% [markdown]
# ## Decoding
#
# Begin with the start token. Ask the model for the next one, take the likeliest, append it, and ask
# again, until every sentence has ended or the limit is reached. Sentences of one batch end at
# different steps; one that has ended is filled up with padding, as a target is.


# %%
def greedy_decode(
    model: nn.Module, source: Tensor, start: int, end: int, max_length: int
) -> Tensor:
    """Decode the likeliest token at each step.

    Of the model only `model(source, tokens)`, its attribute `pad` and its train or eval mode are
    used: it decodes in eval mode, and is in the mode it had before when the function returns.

    Args:
        model: maps source (B, S) and the tokens so far (B, n) to logits (B, n, V).
        source: token numbers, int64, (B, S); not altered.
        start: the token in the first column.
        end: the token that ends a row; what follows it in the row is `model.pad`.
        max_length: the greatest number of columns, the first one included; at least 1.

    Returns:
        int64, (B, n), n at most `max_length`: stops as soon as every row has produced `end`.
        Nothing in it carries a gradient.
    """
    # BEGIN SOLUTION
    batch = source.size(0)
    tokens = torch.full((batch, 1), start, dtype=torch.int64, device=source.device)  # (B, 1)
    ended = torch.zeros(batch, dtype=torch.bool, device=source.device)  # (B,)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        while tokens.size(1) < max_length and not ended.all():
            logits = model(source, tokens)  # (B, n, V)
            last = logits[:, -1]  # (B, V)
            likeliest = last.argmax(dim=-1)  # (B,)
            likeliest = likeliest.masked_fill(ended, model.pad)  # (B,)
            ended = ended | (likeliest == end)  # (B,)
            tokens = torch.cat([tokens, likeliest[:, None]], dim=1)  # (B, n+1)
    model.train(was_training)
    return tokens
    # END SOLUTION


# %% [markdown]
# ## Try it: spell a number backwards
#
# The source is a number of up to six digits, the target the same digits in reverse, as letters of
# another vocabulary. The next cells run in a notebook (or with `python seq2seq.py`), not when the
# module is imported.

# %%
if __name__ == "__main__":
    pad, start, end = 0, 1, 2

    def reversals(count: int) -> tuple[Tensor, Tensor]:
        """Random digits 1 to 10 (B, 6), and start, the letters 3 to 12 in reverse, end (B, 8)."""
        source = torch.full((count, 6), pad)
        target = torch.full((count, 8), pad)
        for row, length in enumerate(torch.randint(1, 7, (count,)).tolist()):
            digits = torch.randint(1, 11, (length,))  # (length,)
            source[row, :length] = digits
            target[row, 0] = start
            target[row, 1 : length + 1] = digits.flip(0) + 2
            target[row, length + 1] = end
        return source, target


# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    model = Seq2Seq(source_vocabulary=11, target_vocabulary=13, embed_size=16, hidden_size=32)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(201):
        loss = training_step(model, optimizer, *reversals(32))
        if step % 50 == 0:
            print(f"step {step}: loss {loss:.3f}")

# %%
if __name__ == "__main__":
    source, target = reversals(5)
    written = greedy_decode(model, source, start, end, max_length=8)
    for row in range(5):
        print(source[row].tolist(), "->", written[row].tolist(), "wanted", target[row].tolist())
