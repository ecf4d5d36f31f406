"""Sums written out, index by index; slow and plain."""
import math

import numpy as np
import torch
from torch import nn


def straight(a):
    return a


ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "linear": straight}


class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh"):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.activation = activation
        self.W_x = nn.Parameter(torch.rand(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.rand(hidden_size, hidden_size))
        self.b_h = nn.Parameter(torch.rand(hidden_size))

    def forward(self, x, h):
        columns = []
        for unit in range(self.hidden_size):
            a = self.b_h[unit]
            for i in range(self.input_size):
                a = a + self.W_x[unit, i] * x[:, i]
            for k in range(self.hidden_size):
                a = a + self.W_h[unit, k] * h[:, k]
            columns.append(ACTIVATIONS[self.activation](a))
        return torch.stack(columns, dim=-1)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size, activation="tanh", many_to_one=False):
        super().__init__()
        self.many_to_one = many_to_one
        self.cell = RNNCell(input_size, hidden_size, activation)
        self.W_y = nn.Parameter(torch.rand(output_size, hidden_size))
        self.b_y = nn.Parameter(torch.rand(output_size))

    def output(self, h):
        return torch.nn.functional.linear(h, self.W_y, self.b_y)

    def forward(self, x, h=None, cut=None):
        if h is None:
            h = torch.zeros(x.size(0), self.cell.hidden_size)
        since, outputs = 0, []
        for t in range(x.size(1)):
            if cut is not None and since == cut:
                h, since = h.detach(), 0
            h = self.cell(x[:, t], h)
            since += 1
            if not self.many_to_one:
                outputs.append(self.output(h))
        if self.many_to_one:
            return self.output(h), h
        return torch.stack(outputs, 1), h


def collapse(W_x, W_h, b_h, W_y, b_y, steps):
    H, I = W_x.shape
    O = W_y.shape[0]
    M = torch.zeros(O, steps * I)
    c = b_y.clone()
    for t in range(steps):
        way = torch.eye(H)
        for _ in range(steps - 1 - t):
            way = way @ W_h
        M[:, t * I:(t + 1) * I] = W_y @ way @ W_x
        c += W_y @ way @ b_h
    return M, c


def rnn_step_forward(x, h_previous, W_x, W_h, b):
    B, H = h_previous.shape
    h = np.zeros((B, H))
    for item in range(B):
        for unit in range(H):
            total = b[unit]
            for i in range(x.shape[1]):
                total += W_x[unit, i] * x[item, i]
            for k in range(H):
                total += W_h[unit, k] * h_previous[item, k]
            h[item, unit] = math.tanh(total)
    return h


def rnn_step_backward(dh, x, h_previous, W_x, W_h, b):
    h = rnn_step_forward(x, h_previous, W_x, W_h, b)
    dx, dh_previous = np.zeros(x.shape), np.zeros(h.shape)
    dW_x, dW_h, db = np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros(b.shape)
    for item in range(h.shape[0]):
        for unit in range(h.shape[1]):
            da = dh[item, unit] * (1 - h[item, unit]) * (1 + h[item, unit])
            dx[item] += da * W_x[unit]
            dh_previous[item] += da * W_h[unit]
            dW_x[unit] += da * x[item]
            dW_h[unit] += da * h_previous[item]
            db[unit] += da
    return dx, dh_previous, dW_x, dW_h, db


def rnn_forward(x, h_0, W_x, W_h, b):
    B, T, _ = x.shape
    states = np.zeros((B, T, h_0.shape[1]))
    for t in range(T):
        previous = states[:, t - 1] if t else h_0
        states[:, t] = rnn_step_forward(x[:, t], previous, W_x, W_h, b)
    return states


def rnn_backward(dhs, x, h_0, W_x, W_h, b):
    # Item by item: the parameters' gradients are sums over the batch.
    dx, dh_0 = np.zeros_like(x), np.zeros_like(h_0)
    total = [np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)]
    for item in range(len(x)):
        one = slice(item, item + 1)
        states = rnn_forward(x[one], h_0[one], W_x, W_h, b)
        dh = dhs[one, -1].copy()
        for t in range(x.shape[1] - 1, -1, -1):
            previous = h_0[one] if t == 0 else states[:, t - 1]
            got = rnn_step_backward(dh, x[one, t], previous, W_x, W_h, b)
            dx[one, t] = got[0]
            dh = got[1]
            if t > 0:
                dh += dhs[one, t - 1]
            for sum_, part in zip(total, got[2:]):
                sum_ += part
        dh_0[one] = dh
    return dx, dh_0, total[0], total[1], total[2]


def train_truncated(model, x, targets, chunk, learning_rate):
    losses = []
    state = None
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for start in range(0, x.size(1), chunk):
        if state is not None:
            state = state.detach()
        outputs, state = model(x[:, start:start + chunk], state)
        loss = torch.nn.MSELoss()(outputs, targets[:, start:start + chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def slope(name, a):
    if name == "linear":
        return 1.0
    if name == "relu":
        return 1.0 if a > 0 else 0.0
    if name == "tanh":
        return 1 / math.cosh(a) ** 2
    return math.exp(-a) / (1 + math.exp(-a)) ** 2


def rnn_reach(W_h, h_0, steps, activation):
    H = len(h_0)
    total = np.eye(H)
    h = h_0
    norms = []
    for _ in range(steps):
        a = W_h @ h
        D = np.diag([slope(activation, float(value)) for value in a])
        total = D @ W_h.numpy() @ total
        norms.append(np.linalg.norm(total, 2))
        h = ACTIVATIONS[activation](a)
    return torch.tensor(norms)


def lstm_reach(forget):
    T, H = forget.shape
    norms = torch.zeros(T)
    for t in range(T):
        for unit in range(H):
            product = 1.0
            for k in range(t + 1):
                product *= float(forget[k, unit])
            norms[t] = max(float(norms[t]), product)
    return norms


def attention_reach(query, keys):
    weights = []
    for key in keys:
        weights.append(math.exp(sum(float(q * k) for q, k in zip(query, key)) / math.sqrt(len(query))))
    return torch.tensor([weight / sum(weights) for weight in weights])
