import math
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
        z = torch.cat((x, h), 1)
        w = torch.cat((self.weight_ih, self.weight_hh), 1)
        a = torch.addmm(self.bias_ih + self.bias_hh, z, w.mT)
        s = a.sigmoid()
        n = self.hidden_size
        c = s[:, n:2 * n] * c + s[:, :n] * a[:, 2 * n:3 * n].tanh()
        return (s[:, 3 * n:] * c.tanh(), c)

class LSTM(nn.Module):

    def __init__(self, input_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList((LSTMCell(size, hidden_size) for size in input_sizes))

    def forward(self, x, state=None):
        k = self.num_layers
        b, t, _ = x.shape
        s = [(x.new_zeros(b, self.hidden_size),) * 2] * k if state is None else [*zip(*state)]
        y = []
        for u in x.transpose(0, 1):
            for j in range(k):
                s[j] = self.cells[j](u, s[j])
                u = s[j][0]
            y += [u]
        h, c = map(torch.stack, zip(*s))
        return (torch.stack(y, 1), (h, c))

class RowClassifier(nn.Module):

    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        return self.output(self.lstm(images)[1][0][-1])

def count_parameters(model):
    return sum((p.numel() * p.requires_grad for p in model.parameters()))

def train(model, images, labels, steps, learning_rate):
    o = torch.optim.SGD(model.parameters(), learning_rate)
    r = []
    for _ in range(steps):
        l = F.cross_entropy(model(images), labels)
        r += [l.item()]
        o.zero_grad()
        l.backward()
        o.step()
    return r
