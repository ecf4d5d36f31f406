# %% [markdown]
# # Long short-term memory
#
# Hochreiter and Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997, section 4;
# with the forget gate of Gers, Schmidhuber and Cummins, *Learning to Forget*, 2000, section 3.
#
# You build one step of an LSTM, then the loop over time and layers, then a classifier that reads
# an image one row at a time.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `T` | time: steps in a sequence |
# | `I` | input of one step |
# | `H` | hidden state, and also the cell state |
# | `N` | layers |
# | `C` | classes |
#
# **Against `torch.nn`.** The cell has the parameters of `torch.nn.LSTMCell`: same names, same
# shapes, same gate order, two biases. The `LSTM` is always batch first, holds one cell for each
# layer in `cells` (where `torch.nn.LSTM` has `weight_ih_l0`, `weight_ih_l1`, ...), and has no
# dropout, no second direction and no projection.

# %%
import math

import torch
import torch.nn.functional as F
from d2l import torch as d2l
from torch import Tensor, nn

# %%
class LSTMCell(nn.Module):
    """One step of an LSTM: `(x_t, (h_{t-1}, c_{t-1})) -> (h_t, c_t)`.

    Rows of every parameter come in four blocks of H: input gate, forget gate, candidate, output
    gate (i, f, g, o), as in `torch.nn.LSTMCell`.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        """Draw every parameter uniformly from [-1/sqrt(H), 1/sqrt(H)]."""
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))  # (4H, I)
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))  # (4H, H)
        self.bias_ih = nn.Parameter(torch.empty(4 * hidden_size))  # (4H,)
        self.bias_hh = nn.Parameter(torch.empty(4 * hidden_size))  # (4H,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            x: the input of this step, (B, I).
            state: the previous hidden and cell state `(h, c)`, each (B, H).

        Returns:
            The new hidden and cell state `(h, c)`, each (B, H).
        """
        h, c = state
        B = x.size(0)
        z = torch.addmm(self.bias_ih, x, self.weight_ih.t())
        z = z + torch.addmm(self.bias_hh, h, self.weight_hh.t())
        i, f, g, o = z.view(B, 4, -1).unbind(dim=1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = torch.addcmul(f * c, i, g)
        return o * c.tanh(), c

# %% [markdown]
# ## Over time, and in layers
#
# The same cell is used at every step. Layer 0 reads the sequence; each layer above reads the
# hidden states of the layer below:
#
# $$(h_t^n, c_t^n) = \mathrm{cell}^n (h_t^{n-1}, (h_{t-1}^n, c_{t-1}^n)), \qquad h_t^{-1} = x_t$$

# %%
class LSTM(nn.Module):
    """A stack of LSTM cells run over a sequence, batch first."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        """Make one cell for each layer: the first reads I numbers a step, the others H."""
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over all steps, from the first to the last.

        Args:
            x: the sequence, (B, T, I), with T at least 1.
            state: `(h_0, c_0)`, each (N, B, H), a row for each layer. None means zeros, of the
                dtype and on the device of `x`.

        Returns:
            `(output, (h_n, c_n))`: the top layer's hidden state at every step, (B, T, H), and each
            layer's state after the last step, each (N, B, H).
        """
        B, T = x.size(0), x.size(1)
        if state is None:
            state = (x.new_zeros((self.num_layers, B, self.hidden_size)),) * 2
        (h0, c0) = state
        out = x.new_empty((B, T, self.hidden_size))
        h, c = {}, {}
        for n in range(self.num_layers):
            h[n], c[n] = h0[n], c0[n]
        for t in range(T):
            y = x[:, t]
            for n in range(self.num_layers):
                h[n], c[n] = self.cells[n](y, (h[n], c[n]))
                y = h[n]
            out[:, t] = y
        order = range(self.num_layers)
        return out, (torch.stack([h[n] for n in order]), torch.stack([c[n] for n in order]))

# %% [markdown]
# ## An image, read row by row
#
# An image of `rows` times `columns` pixels is a sequence: one row a step, so $T$ is the number of
# rows and $I$ the number of columns. A linear layer turns the last hidden state of the top layer
# into one logit for each class:
#
# $$\mathrm{logits} = W h_T^{N-1} + b$$

# %%
class RowClassifier(nn.Module):
    """Classify an image from the last hidden state of an LSTM that reads it row by row."""

    def __init__(
        self, input_size: int, hidden_size: int, num_classes: int, num_layers: int = 1
    ) -> None:
        """Make the LSTM and the linear layer; `input_size` is the number of columns."""
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify a batch of images.

        Args:
            images: (B, rows, columns).

        Returns:
            Logits (not probabilities), (B, C).
        """
        output, _ = self.lstm(images)
        return self.output(output[:, -1])

# %% [markdown]
# ## How many parameters?
#
# Every gate is a dense layer over input *and* hidden state, so an LSTM has many. Work it out on
# paper for one layer before you let the function count.

# %%
def count_parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model.

    Args:
        model: any module.

    Returns:
        The number of entries of all parameters that require a gradient.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)

# %% [markdown]
# ## Training
#
# Plain gradient descent with the whole data set in every step. With learning rate $\eta$ and mean
# cross-entropy $L$:
#
# $$\theta \leftarrow \theta - \eta \nabla L(\theta)$$

# %%
def train(
    model: nn.Module, images: Tensor, labels: Tensor, steps: int, learning_rate: float
) -> list[float]:
    """Train in place by full-batch gradient descent: `torch.optim.SGD`, mean cross-entropy.

    Args:
        model: maps images to logits (B, C).
        images: (B, rows, columns), all of them used in every step.
        labels: class numbers, int64, (B,).
        steps: number of updates.
        learning_rate: the same in every step; no momentum, no weight decay.

    Returns:
        The loss of each step, computed before that step's update: `steps` floats.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    loss_fn = nn.CrossEntropyLoss()
    losses = []
    for i in range(steps):
        out = model(images)
        loss = loss_fn(out, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if i % 50 == 0:
            print("step", i, "loss", losses[-1])
    return losses

# %% [markdown]
# ## Try it: handwritten digits
#
# scikit-learn ships 1797 handwritten digits of 8 by 8 pixels. The next cells run in a notebook (or
# with `python lstm.py`), not when the module is imported; they need `pip install scikit-learn`.

# %%
if __name__ == "__main__":
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.get_default_dtype())  # (1797, 8, 8)
    labels = torch.tensor(digits.target, dtype=torch.int64)  # (1797,)

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    classifier = RowClassifier(input_size=8, hidden_size=32, num_classes=10)
    losses = train(classifier, images[:1400], labels[:1400], steps=400, learning_rate=1.0)
    with torch.no_grad():
        guesses = classifier(images[1400:]).argmax(dim=1)  # (397,)
    accuracy = (guesses == labels[1400:]).double().mean().item()
    print(f"{count_parameters(classifier)} parameters")
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, accuracy on unseen digits {accuracy:.1%}")
