# %% [markdown]
# # A recurrent network, and the gradient's way back
#
# Elman, *Finding Structure in Time*, Cognitive Science 14(2), 1990, section 2 (the network);
# Werbos, *Backpropagation Through Time: What It Does and How to Do It*, Proceedings of the IEEE
# 78(10), 1990, section III; Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent
# neural networks*, ICML 2013, section 2 (vanishing and exploding gradients).
#
# You build the vanilla recurrent network in torch, send the gradient back through time by hand in
# NumPy, cut its way where it gets too long, and measure how far it reaches.
#
# | letter | size of |
# | --- | --- |
# | `B` | batch |
# | `T` | time: steps in a sequence |
# | `I` | input of one step |
# | `H` | hidden state |
# | `O` | output of one step |
# | `D` | query and key of the attention at the end |
#
# **Against `torch.nn`.** `torch.nn.RNN` has two biases and no output layer; here the cell has one
# bias, and `W_y` reads the state. `RNN` is always batch first, has one layer and one direction, and
# its state is (B, H), without an axis for layers. Besides tanh and ReLU there are a sigmoid and a
# linear activation.

# %%
import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

# %% [markdown]
# ## One step
#
# The new state looks at the input and at the state before:
#
# $$h_t = \varphi(W_x x_t + W_h h_{t-1} + b_h)$$


# %%
def linear(a: Tensor) -> Tensor:
    """No activation: the pre-activation as it is."""
    return a


ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "linear": linear}


class RNNCell(nn.Module):
    """One step of a vanilla recurrent network: `(x_t, h_{t-1}) -> h_t`."""

    def __init__(self, input_size: int, hidden_size: int, activation: str = "tanh") -> None:
        """Draw every parameter uniformly from [-1/sqrt(H), 1/sqrt(H)]."""
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation  # a key of ACTIVATIONS
        self.W_x = nn.Parameter(torch.empty(hidden_size, input_size))  # (H, I)
        self.W_h = nn.Parameter(torch.empty(hidden_size, hidden_size))  # (H, H)
        self.b_h = nn.Parameter(torch.empty(hidden_size))  # (H,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Take one step.

        Args:
            x: the input of this step, (B, I).
            h: the state before it, (B, H).

        Returns:
            The new state, (B, H).
        """
        # BEGIN SOLUTION
        phi = ACTIVATIONS[self.activation]
        a = x @ self.W_x.T + h @ self.W_h.T + self.b_h  # (B, H)
        return phi(a)
        # END SOLUTION


# %% [markdown]
# ## Over time
#
# The same three matrices at every step. Many-to-many gives an output after every step, many-to-one
# after the last step only:
#
# $$y_t = W_y h_t + b_y$$
#
# A gradient that has to come back through thousands of steps is expensive, so it is often **cut**:
# the state goes on, its history does not. With `cut = 3` the steps 0 1 2 | 3 4 5 | 6 7 ... are
# apart for the gradient, and together for the values.


# %%
class RNN(nn.Module):
    """A vanilla recurrent network with an output layer, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        activation: str = "tanh",
        many_to_one: bool = False,
    ) -> None:
        """Make the cell, and the output layer drawn as the cell's parameters are."""
        super().__init__()
        self.many_to_one = many_to_one
        self.cell = RNNCell(input_size, hidden_size, activation)
        self.W_y = nn.Parameter(torch.empty(output_size, hidden_size))  # (O, H)
        self.b_y = nn.Parameter(torch.empty(output_size))  # (O,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in (self.W_y, self.b_y):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self, x: Tensor, h: Tensor | None = None, cut: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run over all steps, from the first to the last.

        Args:
            x: the sequence, (B, T, I), with T at least 1.
            h: the state before the first step, (B, H). None means zeros, of the dtype and on the
                device of `x`.
            cut: after every `cut` steps no gradient flows from the next step back to the ones
                before; values do not change. None means nowhere. The given state stands before
                step 0, where there is no cut.

        Returns:
            `(outputs, h)`: the outputs of all steps, (B, T, O), or of the last one, (B, O), where
            `self.many_to_one`; and the state after the last step, (B, H).
        """
        # BEGIN SOLUTION
        if h is None:
            h = x.new_zeros(x.size(0), self.cell.hidden_size)  # (B, H)
        states = []
        for t in range(x.size(1)):
            if cut is not None and t > 0 and t % cut == 0:
                h = h.detach()
            h = self.cell(x[:, t], h)  # (B, H)
            states.append(h)
        read = torch.stack(states, dim=1)  # (B, T, H)
        outputs = read @ self.W_y.T + self.b_y  # (B, T, O)
        if self.many_to_one:
            outputs = outputs[:, -1]  # (B, O)
        return outputs, h
        # END SOLUTION


# %% [markdown]
# ## Without an activation it all collapses
#
# A chain of linear maps is one linear map. From $h_0 = 0$ and with $\varphi(a) = a$ the last output
# is one matrix $M$ times the whole sequence, its steps one below the other, plus one vector:
#
# $$y_T = M \, (x_1; x_2; \dots; x_T) + c$$
#
# However many steps there are, the network can do no more than one dense layer.


# %%
def collapse(
    W_x: Tensor, W_h: Tensor, b_h: Tensor, W_y: Tensor, b_y: Tensor, steps: int
) -> tuple[Tensor, Tensor]:
    """The linear layer that a linear recurrent network is, from a zero state to its last output.

    Args:
        W_x: (H, I).
        W_h: (H, H).
        b_h: (H,).
        W_y: (O, H).
        b_y: (O,).
        steps: T, at least 1.

    Returns:
        `(M, c)`: M is (O, T * I), its first I columns for the first step; c is (O,).
    """
    # BEGIN SOLUTION
    reach = W_y  # (O, H): what a state still does to the last output
    blocks, c = [], b_y
    for _ in range(steps):
        blocks.append(reach @ W_x)  # (O, I)
        c = c + reach @ b_h  # (O,)
        reach = reach @ W_h  # (O, H)
    M = torch.cat(blocks[::-1], dim=1)  # (O, T * I)
    return M, c
    # END SOLUTION


# %% [markdown]
# ## Backpropagation through time, by hand
#
# From here to the next heading everything is NumPy: no torch, no autograd. $G_v$ stands for the
# gradient of the loss in $v$, and $\varphi$ is tanh. One step back, for one item of the batch (the
# parameters' gradients are summed over the batch):
#
# $$G_a = G_h \odot (1 - h_t^2), \qquad G_{W_x} = G_a \, x_t^\top, \quad G_{W_h} = G_a \,
# h_{t-1}^\top, \quad G_b = G_a$$
#
# $$G_{x_t} = W_x^\top G_a, \qquad G_{h_{t-1}} = W_h^\top G_a$$
#
# A state is used twice: by the loss at its own step and by the next step. Its gradient is the sum
# of both. The parameters are used at every step, so their gradients sum over time.


# %%
def rnn_step_forward(
    x: NDArray, h_previous: NDArray, W_x: NDArray, W_h: NDArray, b: NDArray
) -> NDArray:
    """One step with tanh, in NumPy.

    Args:
        x: the input of this step, (B, I).
        h_previous: the state before it, (B, H).
        W_x: (H, I).
        W_h: (H, H).
        b: (H,).

    Returns:
        The new state, (B, H).
    """
    # BEGIN SOLUTION
    a = x @ W_x.T + h_previous @ W_h.T + b  # (B, H)
    return np.tanh(a)
    # END SOLUTION


def rnn_step_backward(
    dh: NDArray, x: NDArray, h_previous: NDArray, W_x: NDArray, W_h: NDArray, b: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """The gradient one step back.

    Args:
        dh: gradient of the loss in the state that `rnn_step_forward` returns, (B, H).
        x, h_previous, W_x, W_h, b: as they were given to `rnn_step_forward`.

    Returns:
        `(dx, dh_previous, dW_x, dW_h, db)`, each of the shape of what it is the gradient in.
    """
    # BEGIN SOLUTION
    h = rnn_step_forward(x, h_previous, W_x, W_h, b)  # (B, H)
    da = dh * (1 - h**2)  # (B, H)
    dx = da @ W_x  # (B, I)
    dh_previous = da @ W_h  # (B, H)
    dW_x = da.T @ x  # (H, I)
    dW_h = da.T @ h_previous  # (H, H)
    db = da.sum(axis=0)  # (H,)
    return dx, dh_previous, dW_x, dW_h, db
    # END SOLUTION


def rnn_forward(x: NDArray, h_0: NDArray, W_x: NDArray, W_h: NDArray, b: NDArray) -> NDArray:
    """All steps with tanh, in NumPy.

    Args:
        x: the sequence, (B, T, I).
        h_0: the state before the first step, (B, H).
        W_x, W_h, b: as in `rnn_step_forward`.

    Returns:
        The state after every step, (B, T, H).
    """
    # BEGIN SOLUTION
    h, states = h_0, []
    for t in range(x.shape[1]):
        h = rnn_step_forward(x[:, t], h, W_x, W_h, b)  # (B, H)
        states.append(h)
    return np.stack(states, axis=1)  # (B, T, H)
    # END SOLUTION


def rnn_backward(
    dhs: NDArray, x: NDArray, h_0: NDArray, W_x: NDArray, W_h: NDArray, b: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """The gradient back through all steps.

    Args:
        dhs: gradient of each step's own loss in the state after that step, (B, T, H); what later
            steps add is not in it.
        x, h_0, W_x, W_h, b: as they were given to `rnn_forward`.

    Returns:
        `(dx, dh_0, dW_x, dW_h, db)`, each of the shape of what it is the gradient in.
    """
    # BEGIN SOLUTION
    states = rnn_forward(x, h_0, W_x, W_h, b)  # (B, T, H)
    dx = np.zeros_like(x)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    later = np.zeros_like(h_0)  # (B, H): what comes back from the steps after
    for t in reversed(range(x.shape[1])):
        h_previous = states[:, t - 1] if t > 0 else h_0  # (B, H)
        dh = dhs[:, t] + later  # (B, H)
        step = rnn_step_backward(dh, x[:, t], h_previous, W_x, W_h, b)
        dx[:, t], later = step[:2]
        dW_x += step[2]
        dW_h += step[3]
        db += step[4]
    return dx, later, dW_x, dW_h, db
    # END SOLUTION


# %% [markdown]
# ## Training in chunks
#
# Truncated backpropagation as it is used: a long sequence is read chunk by chunk, with an update
# after each. The state goes on from chunk to chunk, the graph behind it does not; otherwise the
# second `backward()` would run into the part that the first one has freed.


# %%
def train_truncated(
    model: nn.Module, x: Tensor, targets: Tensor, chunk: int, learning_rate: float
) -> list[float]:
    """Train in place over one long sequence, with one update for each chunk of it.

    Plain gradient descent (`torch.optim.SGD`), mean squared error over the chunk.

    Args:
        model: `(x, state) -> (outputs, state)`, and a state of None means a fresh start.
        x: (B, T, I).
        targets: of the shape of the model's outputs for all of `x`.
        chunk: steps in a chunk; the last one holds what is left.
        learning_rate: the same for every update.

    Returns:
        The loss of each chunk, computed before its update.
    """
    # BEGIN SOLUTION
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    state, losses = None, []
    for start in range(0, x.size(1), chunk):
        now = slice(start, start + chunk)
        outputs, state = model(x[:, now], state)
        loss = F.mse_loss(outputs, targets[:, now])  # ()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = state.detach()
        losses.append(loss.item())
    return losses
    # END SOLUTION


# %% [markdown]
# ## How far does a gradient reach?
#
# In a recurrent network without input, $h_t = \varphi(W_h h_{t-1})$, the way back from step $t$ to
# the start is a product of $t$ Jacobians:
#
# $$\frac{\partial h_t}{\partial h_0} = J_t J_{t-1} \cdots J_1, \qquad
# J_k = \mathrm{diag}(\varphi'(W_h h_{k-1})) \, W_h$$
#
# Its size is measured by the spectral norm, the largest singular value: the most that a small
# change of $h_0$ can be stretched. Both parts of $J_k$ decide whether it shrinks or grows.
#
# In an LSTM whose gates do not look at the state, the cell state only passes the forget gates:
# $c_t = f_t \odot c_{t-1} + i_t \odot g_t$.
#
# In attention, the output $z = \sum_t a_t v_t$ has every value $v_t$ one step away, with the
# weights $a = \mathrm{softmax}(K q / \sqrt{D})$.


# %%
def rnn_reach(W_h: Tensor, h_0: Tensor, steps: int, activation: str) -> Tensor:
    """Spectral norm of dh_t/dh_0 in `h_t = phi(W_h h_{t-1})`, for t = 1 ... steps.

    Args:
        W_h: (H, H).
        h_0: (H,).
        steps: how many, at least 1.
        activation: "tanh", "sigmoid", "relu" or "linear".

    Returns:
        The norms, (steps,).
    """
    # BEGIN SOLUTION
    h, norms = h_0, []
    total = torch.eye(len(h_0))  # (H, H): dh_t/dh_0
    for _ in range(steps):
        a = W_h @ h  # (H,)
        h = ACTIVATIONS[activation](a)  # (H,)
        slopes = {
            "tanh": 1 - h**2,
            "sigmoid": h * (1 - h),
            "relu": (a > 0).to(a.dtype),
            "linear": torch.ones_like(a),
        }
        jacobian = slopes[activation][:, None] * W_h  # (H, H)
        total = jacobian @ total  # (H, H)
        norms.append(torch.linalg.matrix_norm(total, ord=2))
    return torch.stack(norms)
    # END SOLUTION


def lstm_reach(forget: Tensor) -> Tensor:
    """Spectral norm of dc_t/dc_0 in an LSTM without recurrent weights, for t = 1 ... T.

    Args:
        forget: the forget gate of every step, between 0 and 1, (T, H).

    Returns:
        The norms, (T,).
    """
    # BEGIN SOLUTION
    kept = forget.cumprod(dim=0)  # (T, H): the diagonal of dc_t/dc_0
    return kept.amax(dim=1)  # (T,)
    # END SOLUTION


def attention_reach(query: Tensor, keys: Tensor) -> Tensor:
    """Spectral norm of dz/dv_t, where one query attends to T keys with values v_1 ... v_T.

    Args:
        query: (D,).
        keys: (T, D).

    Returns:
        The norms, (T,).
    """
    # BEGIN SOLUTION
    scores = keys @ query / math.sqrt(len(query))  # (T,)
    return torch.softmax(scores, dim=0)  # (T,)
    # END SOLUTION


# %% [markdown]
# ## Try it
#
# The next cells run in a notebook (or with `python rnn.py`), not when the module is imported, and
# are not marked. The first two compare your functions with one another: every number printed should
# be near 1e-15.

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    straight = RNN(3, 4, 2, activation="linear", many_to_one=True)
    sequence = torch.randn(1, 5, 3)
    cell = straight.cell
    M, c = collapse(cell.W_x, cell.W_h, cell.b_h, straight.W_y, straight.b_y, steps=5)
    difference = straight(sequence)[0][0] - (M @ sequence.flatten() + c)
    print("collapsed:", difference.abs().max().item())

# %%
if __name__ == "__main__":
    cell, h_0 = RNNCell(3, 4), torch.zeros(2, 4)
    x = torch.randn(2, 6, 3)
    dhs = torch.randn(2, 6, 4)
    h, by_torch = h_0, 0
    for t in range(6):
        h = cell(x[:, t], h)
        by_torch = by_torch + (h * dhs[:, t]).sum()
    by_torch.backward()
    arrays = [each.detach().numpy() for each in (dhs, x, h_0, cell.W_x, cell.W_h, cell.b_h)]
    by_hand = rnn_backward(*arrays)[2:]
    for parameter, gradient in zip((cell.W_x, cell.W_h, cell.b_h), by_hand, strict=True):
        print("by hand:", np.abs(parameter.grad.numpy() - gradient).max())

# %% [markdown]
# How far gradients reach, as a plot where matplotlib is installed and as numbers where it is not.
# A random matrix is scaled so that its largest eigenvalue, in size, is `radius`. Which curves would
# you not have expected?

# %%
if __name__ == "__main__":
    T, H = 60, 24
    W = torch.randn(H, H)
    W = W / torch.linalg.eigvals(W).abs().max()
    start = torch.randn(H)
    left = {
        f"{name}, radius {radius}": rnn_reach(radius * W, start, T, name)
        for name in ("sigmoid", "tanh", "relu", "linear")
        for radius in (0.8, 1.0, 2.0)
    }
    right = {
        "RNN: tanh, radius 0.8": left["tanh, radius 0.8"],
        "LSTM: forget gate 0.9": lstm_reach(torch.full((T, H), 0.9)),
        "LSTM: forget gate 1": lstm_reach(torch.ones(T, H)),
        # The weight of a value t steps back: the last key is the nearest.
        "attention": attention_reach(torch.randn(H), torch.randn(T, H)).flip(0),
    }
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        for name, norms in (left | right).items():
            print(f"{name:24} {norms[0]:10.3g} {norms[T // 2]:10.3g} {norms[-1]:10.3g}")
    else:
        _, panels = plt.subplots(1, 2, figsize=(12, 4.5), sharey=True)
        for panel, curves in zip(panels, (left, right), strict=True):
            for index, (name, norms) in enumerate(curves.items()):
                group, line = divmod(index, 3) if curves is left else (index, 2)
                style = (":", "--", "-")[line]
                panel.semilogy(
                    range(1, T + 1), norms.clamp(1e-12), style, c=f"C{group}", label=name
                )
            panel.set_xlabel("steps between cause and effect")
            panel.legend(fontsize="x-small", ncols=2)
        panels[0].set_ylabel("norm of the derivative")
        plt.show()
