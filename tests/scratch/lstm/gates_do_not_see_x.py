import math

import torch
import torch.nn.functional as F
from torch import nn


def gate(k, size, x, h, wx, wh, bx, bh):
    rows = slice(k * size, (k + 1) * size)
    return x @ wx[rows].T + bx[rows] + h @ wh[rows].T + bh[rows]


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
        hidden, memory = state
        H = self.hidden_size
        from_hidden = F.linear(hidden, self.weight_hh, self.bias_hh)
        write, keep, _, show = torch.sigmoid(from_hidden).chunk(4, dim=-1)
        rows = slice(2 * H, 3 * H)
        from_x = F.linear(x, self.weight_ih[rows], self.bias_ih[rows])
        memory = keep * memory + write * torch.tanh(from_x + from_hidden[:, rows])
        return show * torch.tanh(memory), memory


class LSTM(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(self, x, state=None):
        batch, steps, _ = x.shape
        if state is None:
            hidden = [x.new_zeros(batch, self.hidden_size) for _ in self.cells]
            memory = [x.new_zeros(batch, self.hidden_size) for _ in self.cells]
        else:
            hidden, memory = list(state[0]), list(state[1])
        output = x.new_empty(batch, steps, self.hidden_size)
        for t in range(steps):
            below = x[:, t]
            for n in range(self.num_layers):
                hidden[n], memory[n] = self.cells[n](below, (hidden[n], memory[n]))
                below = hidden[n]
            output[:, t] = below
        return output, (torch.stack(hidden), torch.stack(memory))


class RowClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        _, (hidden, _) = self.lstm(images)
        return F.linear(hidden[-1], self.output.weight, self.output.bias)


def count_parameters(model):
    total = 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            total += math.prod(parameter.shape)
    return total


def train(model, images, labels, steps, learning_rate):
    optimizer = torch.optim.SGD(model.parameters(), learning_rate)
    criterion = nn.CrossEntropyLoss()
    losses = []
    while len(losses) < steps:
        model.zero_grad()
        error = criterion(model(images), labels)
        losses.append(float(error.detach()))
        error.backward()
        optimizer.step()
    return losses
