import math
import numpy as np
import torch
import torch.nn as nn

ACTIVATIONS = dict(tanh=torch.tanh, sigmoid=torch.sigmoid, relu=torch.relu, linear=lambda a: a)


class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh"):
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.W_x = nn.Parameter(torch.empty(hidden_size, input_size))
        self.W_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b_h = nn.Parameter(torch.empty(hidden_size))
        for p in self.parameters():
            nn.init.uniform_(p, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    def forward(self, x, h):
        # one matrix over [h, x], as in the lecture
        W = torch.cat([self.W_h, self.W_x], dim=1)
        return ACTIVATIONS[self.activation](torch.cat([h, x], dim=1) @ W.T + self.b_h)


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size, activation="tanh", many_to_one=False):
        super().__init__()
        self.many_to_one = many_to_one
        self.cell = RNNCell(input_size, hidden_size, activation)
        self.W_y = nn.Parameter(torch.empty(output_size, hidden_size))
        self.b_y = nn.Parameter(torch.empty(output_size))
        for p in (self.W_y, self.b_y):
            nn.init.uniform_(p, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    def forward(self, x, h=None, cut=None):
        h = x.new_zeros(x.shape[0], self.cell.hidden_size) if h is None else h
        hs = []
        for i, chunk in enumerate(x.split(cut or x.shape[1], dim=1)):
            if i > 0: h = h.detach()
            for xt in chunk.unbind(dim=1):
                h = self.cell(xt, h)
                hs.append(h)
        y = torch.stack(hs, 1) @ self.W_y.T + self.b_y
        return (y[:, -1] if self.many_to_one else y), h


def collapse(W_x, W_h, b_h, W_y, b_y, steps):
    A, d = W_x, b_h
    for _ in range(steps - 1):
        A, d = torch.cat([W_h @ A, W_x], 1), W_h @ d + b_h
    return W_y @ A, W_y @ d + b_y


def rnn_step_forward(x, h_previous, W_x, W_h, b):
    return np.tanh(x @ W_x.T + h_previous @ W_h.T + b)

def rnn_step_backward(dh, x, h_previous, W_x, W_h, b):
    g = dh * (1 - rnn_step_forward(x, h_previous, W_x, W_h, b) ** 2)
    return g @ W_x, g @ W_h, g.T @ x, g.T @ h_previous, g.sum(0)

def rnn_forward(x, h_0, W_x, W_h, b):
    hs = [h_0]
    for t in range(x.shape[1]): hs.append(rnn_step_forward(x[:, t], hs[-1], W_x, W_h, b))
    return np.stack(hs[1:], 1)

def rnn_backward(dhs, x, h_0, W_x, W_h, b):
    T = x.shape[1]
    before = np.concatenate([h_0[:, None], rnn_forward(x, h_0, W_x, W_h, b)[:, :-1]], 1)
    grads, g = [None] * T, np.zeros_like(h_0)
    for t in range(T)[::-1]:
        grads[t] = rnn_step_backward(dhs[:, t] + g, x[:, t], before[:, t], W_x, W_h, b)
        g = grads[t][1]
    dx, _, dWx, dWh, db = zip(*grads)
    return np.stack(dx, 1), g, sum(dWx), sum(dWh), sum(db)


def train_truncated(model, x, targets, chunk, learning_rate):
    opt, state, losses = torch.optim.SGD(model.parameters(), lr=learning_rate), None, []
    for t in range(0, x.shape[1], chunk):
        y, state = model(x[:, t:t+chunk], state)
        loss = ((y - targets[:, t:t+chunk]) ** 2).mean()
        opt.zero_grad(); loss.backward(); opt.step()
        state = state.detach()
        losses.append(loss.item())
    return losses


def rnn_reach(W_h, h_0, steps, activation):
    h, J, out = h_0, None, []
    for _ in range(steps):
        a = (W_h @ h).requires_grad_()
        h = ACTIVATIONS[activation](a)
        (d,) = torch.autograd.grad(h.sum(), a)
        h = h.detach()
        J = d.diag() @ W_h if J is None else d.diag() @ W_h @ J
        out.append(torch.linalg.svdvals(J).max())
    return torch.stack(out)

def lstm_reach(forget):
    return forget.cumprod(0).amax(1)

def attention_reach(query, keys):
    return ((keys * query).sum(1) / math.sqrt(len(query))).softmax(0)
