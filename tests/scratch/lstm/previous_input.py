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
        h_prev, c_prev = state
        xh = torch.cat([x, h_prev], dim=1)
        W = torch.cat([self.weight_ih, self.weight_hh], dim=1)
        ai, af, ag, ao = (xh.mm(W.t()) + self.bias_ih + self.bias_hh).split(self.hidden_size, dim=1)
        c = F.sigmoid(af).mul(c_prev).add(F.sigmoid(ai).mul(F.tanh(ag)))
        h = F.sigmoid(ao).mul(F.tanh(c))
        return h, c


class LSTM(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(self, x, state=None):
        B, T, _ = x.shape
        N, H = self.num_layers, self.hidden_size
        if state is None:
            state = (torch.zeros(N, B, H, dtype=x.dtype, device=x.device),) * 2
        h0, c0 = state
        layer_in = x.unbind(1)
        last = []
        for n, cell in enumerate(self.cells):
            h, c = h0[n], c0[n]
            outs = []
            for t in range(1, T + 1):
                h, c = cell(layer_in[t - 2], (h, c))
                outs.append(h)
            layer_in = outs
            last.append((h, c))
        hn, cn = map(torch.stack, zip(*last))
        return torch.stack(layer_in, 1), (hn, cn)


class RowClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        final = self.lstm(images)[1][0][-1]
        return final @ self.output.weight.T + self.output.bias


def count_parameters(model):
    return int(sum(torch.tensor(p.shape).prod() for p in model.parameters() if p.requires_grad))


def train(model, images, labels, steps, learning_rate):
    sgd = torch.optim.SGD(model.parameters(), lr=learning_rate)

    def update():
        logp = F.log_softmax(model(images), dim=-1)
        loss = F.nll_loss(logp, labels)
        sgd.zero_grad(set_to_none=False)
        loss.backward()
        sgd.step()
        return loss.item()

    return [update() for _ in range(steps)]
