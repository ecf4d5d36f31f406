import math

import torch
import torch.nn.functional as F
from torch import nn


class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(4 * hidden_size))
        self.bias_hh = nn.Parameter(torch.empty(4 * hidden_size))
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x, state):
        h, c = state
        H = self.hidden_size
        Wx = self.weight_ih.reshape(4, H, -1)
        Wh = self.weight_hh.reshape(4, H, H)
        b = (self.bias_ih + self.bias_hh).reshape(4, 1, H)
        z = torch.einsum("ghi,bi->gbh", Wx, x) + torch.einsum("ghk,bk->gbh", Wh, h) + b
        i, f, o = z[0].sigmoid(), z[1].sigmoid(), z[3].sigmoid()
        g = z[2].tanh()
        c = torch.addcmul(f * c, i, g)
        return o * c.tanh(), c


class LSTM(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(self, x, state=None):
        if state is None:
            z = x.new_zeros(self.num_layers, x.size(0), self.hidden_size)
            state = (z, z)
        h_all, c_all = (s.data.clone() for s in state)
        seq = list(x.unbind(1))
        hs, cs = [], []
        for n, cell in enumerate(self.cells):
            h, c = h_all[n], c_all[n]
            for t, xt in enumerate(seq):
                h, c = cell(xt, (h, c))
                seq[t] = h
            hs.append(h)
            cs.append(c)
        return torch.stack(seq, 1), (torch.stack(hs), torch.stack(cs))


class RowClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        out, _ = self.lstm(images)
        return self.output(out[:, -1])


def count_parameters(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def train(model, images, labels, steps, learning_rate):
    opt = torch.optim.SGD(model.parameters(), lr=learning_rate)
    history = []
    for _ in range(steps):
        opt.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        opt.step()
        history.append(loss.item())
    return history
