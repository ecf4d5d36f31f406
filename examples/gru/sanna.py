# %% [markdown]
# # Gated recurrent unit
#
# Cho et al., *Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
# Translation*, 2014, section 2.3; with the reset gate where `torch.nn.GRU` has it, behind the
# matrix product.
#
# You build one step of a GRU, then the loop over time and layers, and count what it saves.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `T` | time: steps in a sequence |
# | `I` | input of one step |
# | `H` | hidden state; there is no cell state |
# | `N` | layers |
#
# **Against `torch.nn`.** The cell has the parameters of `torch.nn.GRUCell`: same names, same
# shapes, same gate order, two biases, and it computes the same. The `GRU` is always batch first,
# holds one cell for each layer in `cells` (where `torch.nn.GRU` has `weight_ih_l0`,
# `weight_ih_l1`, ...), and has no dropout and no second direction.
#
# **Against the papers.** Cho et al. reset the hidden state *before* the matrix product,
# $U (r \odot h_{t-1})$; Chung et al., *Empirical Evaluation of Gated Recurrent Neural Networks on
# Sequence Modeling*, 2014, also let $z$ weigh the candidate where here it weighs the old state.

# %%
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## One step
#
# Three affine maps of the input $x_t$, and three of the previous hidden state $h_{t-1}$, stacked in
# the order *reset, update, candidate*:
#
# $$a = W_{ih} x_t + b_{ih}, \qquad u = W_{hh} h_{t-1} + b_{hh}$$
#
# $$a = (a_r, a_z, a_n), \qquad u = (u_r, u_z, u_n)$$
#
# Two gates between 0 and 1. The reset gate says how much of the old state the candidate may see:
#
# $$r = \sigma(a_r + u_r), \qquad z = \sigma(a_z + u_z), \qquad n = \tanh(a_n + r \odot u_n)$$
#
# The update gate mixes: $z = 1$ keeps the old state, $z = 0$ replaces it by the candidate:
#
# $$h_t = z \odot h_{t-1} + (1 - z) \odot n$$


# %%
class GRUCell(nn.Module):
    """One step of a GRU: `(x_t, h_{t-1}) -> h_t`.

    Rows of every parameter come in three blocks of H: reset gate, update gate, candidate
    (r, z, n), as in `torch.nn.GRUCell`.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        """Draw every parameter uniformly from [-1/sqrt(H), 1/sqrt(H)]."""
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(3 * hidden_size, input_size))  # (3H, I)
        self.weight_hh = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))  # (3H, H)
        self.bias_ih = nn.Parameter(torch.empty(3 * hidden_size))  # (3H,)
        self.bias_hh = nn.Parameter(torch.empty(3 * hidden_size))  # (3H,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Take one step.

        Args:
            x: the input of this step, (B, I).
            h: the previous hidden state, (B, H).

        Returns:
            The new hidden state, (B, H).
        """
        gi = F.linear(x, self.weight_ih, self.bias_ih)
        gh = F.linear(h, self.weight_hh, self.bias_hh)
        i_r, i_z, i_n = torch.split(gi, self.hidden_size, dim=-1)
        h_r, h_z, h_n = torch.split(gh, self.hidden_size, dim=-1)
        reset = torch.sigmoid(i_r + h_r)
        update = torch.sigmoid(i_z + h_z)
        new = torch.tanh(i_n + reset * h_n)
        return update * h + (1.0 - update) * new


# %% [markdown]
# ## Over time, and in layers
#
# The same cell is used at every step. Layer 0 reads the sequence; each layer above reads the
# hidden states of the layer below:
#
# $$h_t^l = \mathrm{cell}^l (h_t^{l-1}, h_{t-1}^l), \qquad h_t^{-1} = x_t$$


# %%
class GRU(nn.Module):
    """A stack of GRU cells run over a sequence, batch first."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        """Make one cell for each layer: the first reads I numbers a step, the others H."""
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(GRUCell(size, hidden_size) for size in input_sizes)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over all steps, from the first to the last.

        Args:
            x: the sequence, (B, T, I), with T at least 1.
            state: `h_0`, (N, B, H), a row for each layer. None means zeros, of the dtype and on
                the device of `x`.

        Returns:
            `(output, h_n)`: the top layer's hidden state at every step, (B, T, H), and each
            layer's hidden state after the last step, (N, B, H).
        """
        if state is None:
            state = torch.zeros(self.num_layers, x.size(0), self.hidden_size, dtype=x.dtype, device=x.device)
        layer_input = x
        final = []
        for i in range(self.num_layers):
            h = state[i]
            hs = []
            for step in range(layer_input.shape[1]):
                h = self.cells[i](layer_input[:, step, :], h)
                hs.append(h)
            layer_input = torch.stack(hs, 1)
            final.append(h)
        return layer_input, torch.stack(final, 0)


# %% [markdown]
# ## What it saves
#
# Every block of rows is a dense layer over input *and* hidden state, with two biases. A GRU has
# three such blocks, an LSTM of the same sizes has four. Count both, layer by layer.


# %%
def compare_parameters(input_size: int, hidden_size: int, num_layers: int = 1) -> tuple[int, int]:
    """Count the parameters of a GRU and of an LSTM of the same sizes, both biases included.

    Args:
        input_size: I, what layer 0 reads; the layers above read H numbers a step.
        hidden_size: H.
        num_layers: N, at least 1.

    Returns:
        `(gru, lstm)`: how many numbers the parameters of each hold.
    """
    layers = [GRUCell(input_size if i == 0 else hidden_size, hidden_size) for i in range(num_layers)]
    gru = sum(p.numel() for cell in layers for p in cell.parameters())
    return gru, gru // 3 * 4


# %% [markdown]
# ## Try it: how long is a memory?
#
# With an update gate near 1 a unit keeps what it holds. The next cell runs in a notebook (or with
# `python gru.py`), not when the module is imported.

# %%
if __name__ == "__main__":
    for update_bias in (-2.0, 0.0, 2.0, 4.0):
        torch.manual_seed(0)
        cell = GRUCell(2, 8)
        with torch.no_grad():
            cell.bias_ih[8:16] = update_bias  # the update gate's block
            h = torch.ones(1, 8)
            for _ in range(20):
                h = cell(torch.zeros(1, 2), h)
        print(f"update bias {update_bias:4.1f}: {h.mean().item():.3f} of 1 left after 20 steps")
    print("parameters of a GRU and an LSTM, 28 inputs, 128 units:", compare_parameters(28, 128))


# %%
if __name__ == "__main__":
    # same numbers as torch?
    mine, theirs = GRUCell(3, 4), nn.GRUCell(3, 4)
    theirs.load_state_dict(mine.state_dict())
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    print((mine(x, h) - theirs(x, h)).abs().max())
