import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))  # (4H, I)
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))  # (4H, H)
        self.bias_ih = nn.Parameter(torch.empty(4 * hidden_size))  # (4H,)
        self.bias_hh = nn.Parameter(torch.empty(4 * hidden_size))  # (4H,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x, state):
        h, c = state
        B = x.size(0)
        z = torch.addmm(self.bias_ih, x, self.weight_ih.t())
        z = z + torch.addmm(self.bias_hh, h, self.weight_hh.t())
        i, f, g, o = z.view(B, 4, -1).unbind(dim=1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
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
        B, T = x.size(0), x.size(1)
        if state is None:
            state = (x.new_zeros((self.num_layers, B, self.hidden_size)),) * 2
        (h0, c0) = state
        out = x.new_empty((B, T, self.hidden_size))
        h, c = {}, {}
        for n in range(self.num_layers):
            h[n], c[n] = h0[n], c0[n]
        for t in range(T):
            y = x[:, t]
            for n in range(self.num_layers):
                h[n], c[n] = self.cells[n](y, (h[n], c[n]))
                y = h[n]
            out[:, t] = y
        order = range(self.num_layers)
        return out, (torch.stack([h[n] for n in order]), torch.stack([c[n] for n in order]))


class RowClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        state_n = self.lstm(images)[1]
        return F.linear(state_n[0][-1], self.output.weight, self.output.bias)


def count_parameters(model):
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def train(model, images, labels, steps, learning_rate):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    history = []
    for step in range(steps):
        logits = model(images)
        loss = criterion(logits, labels)
        history.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return history


if __name__ == "__main__":
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.get_default_dtype())  # (1797, 8, 8)
    labels = torch.tensor(digits.target, dtype=torch.int64)  # (1797,)


if __name__ == "__main__":
    torch.manual_seed(0)
    classifier = RowClassifier(input_size=8, hidden_size=32, num_classes=10)
    losses = train(classifier, images[:1400], labels[:1400], steps=400, learning_rate=1.0)
    with torch.no_grad():
        guesses = classifier(images[1400:]).argmax(dim=1)  # (397,)
    accuracy = (guesses == labels[1400:]).double().mean().item()
    print(f"{count_parameters(classifier)} parameters")
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, accuracy on unseen digits {accuracy:.1%}")
