import math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

S = torch.sigmoid
ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": S, "relu": torch.relu, "linear": lambda a: a}

class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh"):
        super().__init__()
        self.hidden_size = hidden_size
        self.activation = activation
        self.W_x = nn.Parameter(torch.randn(hidden_size, input_size) / math.sqrt(hidden_size))
        self.W_h = nn.Parameter(torch.randn(hidden_size, hidden_size) / math.sqrt(hidden_size))
        self.b_h = nn.Parameter(torch.randn(hidden_size) / math.sqrt(hidden_size))

    def forward(self, x, h):
        z = torch.cat((h, x), 1)
        w = torch.cat((self.W_h, self.W_x), 1)
        return ACTIVATIONS[self.activation](torch.addmm(self.b_h, z, w.t()))

class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size, activation="tanh", many_to_one=False):
        super().__init__()
        self.many_to_one = many_to_one
        self.cell = RNNCell(input_size, hidden_size, activation)
        self.W_y = nn.Parameter(torch.randn(output_size, hidden_size) / math.sqrt(hidden_size))
        self.b_y = nn.Parameter(torch.randn(output_size) / math.sqrt(hidden_size))

    def forward(self, x, h=None, cut=None):
        b, t, _ = x.shape
        h = torch.zeros(b, self.cell.hidden_size, dtype=x.dtype, device=x.device) if h is None else h
        y = []
        for k, p in enumerate(x.split(cut or t, 1)):
            h = h.detach() if k else h
            for u in p.unbind(1):
                h = self.cell(u, h)
                y += [torch.addmm(self.b_y, h, self.W_y.t())]
        return (y[-1] if self.many_to_one else torch.stack(y, 1)), h

def collapse(W_x, W_h, b_h, W_y, b_y, steps):
    p = [torch.linalg.matrix_power(W_h, k) for k in range(steps)]
    return torch.cat([W_y @ q @ W_x for q in reversed(p)], 1), W_y @ sum(p) @ b_h + b_y

def rnn_step_forward(x, h_previous, W_x, W_h, b):
    return np.tanh(np.hstack((x, h_previous)) @ np.hstack((W_x, W_h)).T + b)

def rnn_step_backward(dh, x, h_previous, W_x, W_h, b):
    z = np.hstack((x, h_previous))
    w = np.hstack((W_x, W_h))
    a = dh / np.cosh(z @ w.T + b) ** 2
    n = x.shape[1]
    dz, dw = a @ w, a.T @ z
    return dz[:, :n], dz[:, n:], dw[:, :n], dw[:, n:], a.sum(0)

def rnn_forward(x, h_0, W_x, W_h, b):
    o = [h_0]
    for t in range(x.shape[1]):
        o += [rnn_step_forward(x[:, t], o[-1], W_x, W_h, b)]
    return np.stack(o[1:], 1)

def rnn_backward(dhs, x, h_0, W_x, W_h, b):
    o = np.concatenate((h_0[:, None], rnn_forward(x, h_0, W_x, W_h, b)), 1)
    g = [0, 0, 0]
    d, dx = 0, []
    for t in range(x.shape[1])[::-1]:
        u, d, *w = rnn_step_backward(d + dhs[:, t], x[:, t], o[:, t], W_x, W_h, b)
        dx = [u] + dx
        g = [p + q for p, q in zip(g, w)]
    return (np.stack(dx, 1), d, *g)

def train_truncated(model, x, targets, chunk, learning_rate):
    o = torch.optim.SGD(model.parameters(), learning_rate)
    s, r = None, []
    for u, v in zip(x.split(chunk, 1), targets.split(chunk, 1)):
        y, s = model(u, None if s is None else s.detach())
        l = F.mse_loss(y, v)
        o.zero_grad()
        l.backward()
        o.step()
        r += [float(l)]
    return r

def rnn_reach(W_h, h_0, steps, activation):
    f = lambda h: ACTIVATIONS[activation](W_h @ h)
    h, j, r = h_0, torch.eye(len(h_0)), []
    for _ in range(steps):
        j = torch.autograd.functional.jacobian(f, h) @ j
        h = f(h)
        r += [torch.linalg.svdvals(j)[0]]
    return torch.stack(r)

def lstm_reach(forget):
    return torch.cumprod(forget, 0).max(1).values

def attention_reach(query, keys):
    return F.softmax(keys @ query * query.numel() ** -0.5, 0)
