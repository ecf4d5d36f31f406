import math

import torch
from torch import Tensor, nn

class GRUCell(nn.Module):

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.empty(3 * hidden_size, input_size))  # (3H, I)
        self.weight_hh = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))  # (3H, H)
        self.bias_ih = nn.Parameter(torch.empty(3 * hidden_size))  # (3H,)
        self.bias_hh = nn.Parameter(torch.empty(3 * hidden_size))  # (3H,)
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        q = self.hidden_size
        a = torch.addmm(self.bias_ih, x, self.weight_ih.mT)
        b = torch.addmm(self.bias_hh, h, self.weight_hh.mT)
        g = (a[:, : 2 * q] + b[:, : 2 * q]).sigmoid()
        n = torch.addcmul(a[:, 2 * q :], g[:, :q], b[:, 2 * q :]).tanh()
        return n + g[:, q:] * (h - n)


class GRU(nn.Module):

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(GRUCell(size, hidden_size) for size in input_sizes)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        k = self.num_layers
        b, t, _ = x.shape
        s = [x.new_zeros(b, self.hidden_size)] * k if state is None else [*state]
        y = []
        for u in x.transpose(0, 1):
            for j in range(k):
                s[j] = u = self.cells[j](u, s[j])
            y += [u]
        return torch.stack(y, 1), torch.stack(s)


def compare_parameters(input_size: int, hidden_size: int, num_layers: int = 1) -> tuple[int, int]:
    q, n = hidden_size, num_layers
    b = q * (input_size + q + 2) + (n - 1) * q * (2 * q + 2)
    return 3 * b, 4 * b


if __name__ == "__main__":
    for update_bias in (-2.0, 0.0, 2.0, 4.0):
        torch.manual_seed(0)
        cell = GRUCell(2, 8)
        with torch.no_grad():
            cell.bias_ih[8:16] = update_bias  # the update gate's block
            h = torch.ones(1, 8)
            for _ in range(20):
                h = cell(torch.zeros(1, 2), h)
        print(f"update bias {update_bias:4.1f}: {h.mean().item():.3f} of 1 left after 20 steps")
    print("parameters of a GRU and an LSTM, 28 inputs, 128 units:", compare_parameters(28, 128))
