# -*- coding: latin-1 -*-
# Trabalho 1 - redes recorrentes
# João Conceição, nº 20231
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
    """One step of an LSTM: `(x_t, (h_{t-1}, c_{t-1})) -> (h_t, c_t)`."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        """Draw every parameter uniformly from [-1/sqrt(H), 1/sqrt(H)]."""
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

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step."""
        h, c = state
        gate = {}  # ativação de cada porta
        for k, name in enumerate(GATE_NAMES):
            rows = slice(k * self.hidden_size, (k + 1) * self.hidden_size)
            from_x = torch.matmul(x, self.weight_ih[rows].t()) + self.bias_ih[rows]
            from_h = torch.matmul(h, self.weight_hh[rows].t()) + self.bias_hh[rows]
            gate[name] = ACTIVATIONS[name](from_x + from_h)
        new_c = gate["forget"] * c + gate["input"] * gate["candidate"]
        new_h = gate["output"] * torch.tanh(new_c)
        return new_h, new_c


class LSTM(nn.Module):
    """A stack of LSTM cells run over a sequence, batch first."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        """Make one cell for each layer: the first reads I numbers a step, the others H."""
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(LSTMCell(size, hidden_size) for size in input_sizes)

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over all steps, from the first to the last."""
        if state is None:
            size = (self.num_layers, x.shape[0], self.hidden_size)
            state = (torch.zeros(*size).to(x), torch.zeros(*size).to(x))
        h_n, c_n = state
        sequence = x
        hs, cs = [], []
        for cell, h, c in zip(self.cells, h_n, c_n):
            steps = []  # saída de cada passo (não esquecer o último!)
            for t in range(sequence.shape[1]):
                h, c = cell(sequence[:, t], (h, c))
                steps += [h]
            sequence = torch.stack(steps, dim=1)
            hs += [h]
            cs += [c]
        return sequence, (torch.stack(hs, dim=0), torch.stack(cs, dim=0))


class RowClassifier(nn.Module):
    """Classify an image from the last hidden state of an LSTM that reads it row by row."""

    def __init__(
        self, input_size: int, hidden_size: int, num_classes: int, num_layers: int = 1
    ) -> None:
        """Make the LSTM and the linear layer; `input_size` is the number of columns."""
        super().__init__()
        self.lstm = LSTM(input_size, hidden_size, num_layers)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify a batch of images."""
        output, (h, c) = self.lstm(images)
        h_last = h[self.lstm.num_layers - 1]
        return self.output(h_last)


def count_parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model."""
    n = 0
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        n += p.numel()
    return n


def train(
    model: nn.Module, images: Tensor, labels: Tensor, steps: int, learning_rate: float
) -> list[float]:
    """Train in place by full-batch gradient descent: `torch.optim.SGD`, mean cross-entropy."""
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
