"""Everything with einsum; Jacobians by torch.func."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, einsum, nn


def identity(z):
    return z


ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "linear": identity}


class RNNCell(nn.Module):
    def __init__(self, input_size: int, hidden_size: int, activation: str = "tanh") -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.W_x = nn.Parameter(torch.zeros(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.b_h = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        from_x = einsum("hi,bi->bh", self.W_x, x)
        from_h = einsum("hk,bk->bh", self.W_h, h)
        if self.activation == "relu":
            return F.relu(from_x + from_h + self.b_h)
        if self.activation == "sigmoid":
            return F.sigmoid(from_x + from_h + self.b_h)
        if self.activation == "linear":
            return from_x + from_h + self.b_h
        return F.tanh(from_x + from_h + self.b_h)


class RNN(nn.Module):
    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, activation: str = "tanh",
        many_to_one: bool = False,
    ) -> None:
        super().__init__()
        self.many_to_one = many_to_one
        self.cell = RNNCell(input_size, hidden_size, activation)
        self.W_y = nn.Parameter(torch.zeros(output_size, hidden_size))
        self.b_y = nn.Parameter(torch.zeros(output_size))

    def forward(self, x: Tensor, h: Tensor | None = None, cut: int | None = None):
        if h is None:
            h = torch.zeros_like(self.cell.b_h).expand(len(x), -1)
        if cut is None:
            states = self.run(x, h)
        else:
            pieces = []
            for start in range(0, x.shape[1], cut):
                pieces.append(self.run(x[:, start : start + cut], h))
                h = pieces[-1][:, -1].detach()
            states = torch.cat(pieces, dim=1)
        chosen = states[:, -1:] if self.many_to_one else states
        outputs = einsum("oh,bth->bto", self.W_y, chosen) + self.b_y
        return (outputs.squeeze(1) if self.many_to_one else outputs), states[:, -1]

    def run(self, x: Tensor, h: Tensor) -> Tensor:
        """All states of one piece, (B, T, H)."""
        states = []
        for x_t in x.transpose(0, 1):
            states.append(self.cell(x_t, states[-1] if states else h))
        return torch.stack(states).transpose(0, 1)


def collapse(W_x, W_h, b_h, W_y, b_y, steps):
    # The map is affine: its bias is what zeros give, its matrix what unit vectors give beyond that.
    inputs = W_x.shape[1]

    def run(sequence):
        h = torch.zeros_like(b_h)
        for t in range(steps):
            h = W_x @ sequence[t * inputs : (t + 1) * inputs] + W_h @ h + b_h
        return W_y @ h + b_y

    c = run(torch.zeros(steps * inputs))
    columns = [run(unit) - c for unit in torch.eye(steps * inputs)]
    return torch.stack(columns, dim=1), c


def rnn_step_forward(x, h_previous, W_x, W_h, b):
    return np.tanh(np.einsum("hi,bi->bh", W_x, x) + np.einsum("hk,bk->bh", W_h, h_previous) + b)


def rnn_step_backward(dh, x, h_previous, W_x, W_h, b):
    h = rnn_step_forward(x, h_previous, W_x, W_h, b)
    da = np.einsum("bh,bh->bh", dh, 1.0 - np.square(h))
    return (
        np.einsum("bh,hi->bi", da, W_x),
        np.einsum("bh,hk->bk", da, W_h),
        np.einsum("bh,bi->hi", da, x),
        np.einsum("bh,bk->hk", da, h_previous),
        np.einsum("bh->h", da),
    )


def rnn_forward(x, h_0, W_x, W_h, b):
    from_x = np.einsum("hi,bti->bth", W_x, x) + b
    states = np.empty_like(from_x)
    h = h_0
    for t in range(x.shape[1]):
        h = np.tanh(from_x[:, t] + np.einsum("hk,bk->bh", W_h, h))
        states[:, t] = h
    return states


def rnn_backward(dhs, x, h_0, W_x, W_h, b):
    states = rnn_forward(x, h_0, W_x, W_h, b)
    before = np.concatenate([h_0[:, np.newaxis], states[:, :-1]], axis=1)
    das = np.zeros_like(states)
    carried = np.zeros_like(h_0)
    for t in range(x.shape[1] - 1, -1, -1):
        das[:, t] = (dhs[:, t] + carried) * (1.0 - np.square(states[:, t]))
        carried = np.einsum("bh,hk->bk", das[:, t], W_h)
    return (
        np.einsum("bth,hi->bti", das, W_x),
        carried,
        np.einsum("bth,bti->hi", das, x),
        np.einsum("bth,btk->hk", das, before),
        np.einsum("bth->h", das),
    )


def train_truncated(model, x, targets, chunk, learning_rate):
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses, state, start = [], None, 0
    while start < x.shape[1]:
        stop = min(start + chunk, x.shape[1])
        optimizer.zero_grad(set_to_none=True)
        outputs, state = model(x[:, start:stop], state)
        loss = (outputs - targets[:, start:stop]).square().mean()
        loss.backward()
        optimizer.step()
        state = state.detach().clone()
        losses.append(loss.item())
        start = stop
    return losses


def rnn_reach(W_h, h_0, steps, activation):
    def after(h, t):
        for _ in range(t):
            h = ACTIVATIONS[activation](einsum("hk,k->h", W_h, h))
        return h

    norms = []
    for t in range(1, steps + 1):
        jacobian = torch.func.jacrev(lambda h: after(h, t))(h_0)
        norms.append(torch.linalg.norm(jacobian, 2))
    return torch.stack(norms)


def lstm_reach(forget):
    total, norms = torch.eye(forget.shape[1]), []
    for gate in forget:
        total = torch.diag(gate) @ total
        norms.append(torch.linalg.matrix_norm(total, 2))
    return torch.stack(norms)


def attention_reach(query, keys):
    scores = einsum("d,td->t", query, keys) / query.shape[0] ** 0.5
    exponentials = (scores - scores.max()).exp()
    return exponentials / exponentials.sum()
