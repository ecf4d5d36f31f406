import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


GATE_NAMES = ("input", "forget", "candidate", "output")
ACTIVATIONS = {"input": torch.sigmoid, "forget": torch.sigmoid, "candidate": torch.tanh, "output": torch.sigmoid}
EPOCHS = 400
LR = 1.0
HIDDEN = 32
PRINT_EVERY = 0  # 0 = never


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
        gate = {}
        for k, name in enumerate(GATE_NAMES):
            rows = slice(k * self.hidden_size, (k + 1) * self.hidden_size)
            from_x = torch.matmul(x, self.weight_ih[rows].t()) + self.bias_ih[rows]
            from_h = torch.matmul(h, self.weight_hh[rows].t()) + self.bias_hh[rows]
            gate[name] = ACTIVATIONS[name](from_x + from_h)
        new_c = gate["forget"] * c + gate["input"] * gate["candidate"]
        new_h = gate["output"] * torch.tanh(new_c)
        return new_h, new_c


class LSTM(nn.Module):
    def __init__(self, input_size, hidden_size, num_layers=1):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(self, x, state=None):
        batch_size, seq_len, _ = x.shape
        if state is None:
            h = [x.new_zeros(batch_size, self.hidden_size) for _ in range(self.num_layers)]
            c = [x.new_zeros(batch_size, self.hidden_size) for _ in range(self.num_layers)]
        else:
            h = [state[0][n] for n in range(self.num_layers)]
            c = [state[1][n] for n in range(self.num_layers)]
        outputs = []
        for t in range(seq_len):
            out = x[:, t, :]
            for n in range(self.num_layers):
                h[n], c[n] = self.cells[n](out, (h[n], c[n]))
                out = h[n]
            outputs.append(out)
        outputs = torch.stack(outputs, dim=1)
        return outputs, (h[-1].unsqueeze(0), c[-1].unsqueeze(0))


class RowClassifier(nn.Module):
    def __init__(self, input_size, hidden_size, num_classes, num_layers=1):
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images):
        _, (h_n, _) = self.lstm(images)
        logits = self.output(h_n[-1])   # h_n[-1] = top layer
        return logits


def count_parameters(model):
    n = 0
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        n += p.numel()
    return n


def train(model, images, labels, steps, learning_rate):
    sgd = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.0, weight_decay=0.0)
    model.train()
    curve = []
    for step in range(1, steps + 1):
        sgd.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(images), labels, reduction="mean")
        loss.backward()
        sgd.step()
        curve.append(loss.item())
        if PRINT_EVERY and step % PRINT_EVERY == 0:
            print(f"step {step:4d}  loss {loss.item():.4f}")
    return curve


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
