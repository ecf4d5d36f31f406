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
        z = torch.einsum("gi,bi->bg", self.weight_ih, x) + self.bias_ih + self.bias_hh
        i, f, g, o = (part + h for part in z.chunk(4, dim=-1))
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


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
        seq = list(x.unbind(1))
        hs, cs = [], []
        for cell, h, c in zip(self.cells, state[0], state[1]):
            new = []
            for xt in seq:
                h, c = cell(xt, (h, c))
                new.append(h)
            seq = new
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
