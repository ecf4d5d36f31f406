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
        xz, xr, xn = (x @ self.weight_ih.t() + self.bias_ih).chunk(3, 1)
        hz, hr, hn = (h @ self.weight_hh.t() + self.bias_hh).chunk(3, 1)
        z = (xz + hz).sigmoid()
        r = (xr + hr).sigmoid()
        n = (xn + r * hn).tanh()
        return z * h + (1 - z) * n


class GRU(nn.Module):

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        input_sizes = [input_size] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(GRUCell(size, hidden_size) for size in input_sizes)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if state is None:
            state = torch.zeros(self.num_layers, x.size(0), self.hidden_size, dtype=x.dtype, device=x.device)
        layer_input = x
        final = []
        for i in range(self.num_layers):
            h = state[i]
            hs = []
            for step in range(layer_input.shape[1]):
                h = self.cells[i](layer_input[:, step, :], h)
                hs.append(h)
            layer_input = torch.stack(hs, 1)
            final.append(h)
        return layer_input, torch.stack(final, 0)


def compare_parameters(input_size: int, hidden_size: int, num_layers: int = 1) -> tuple[int, int]:
    layers = [GRUCell(input_size if i == 0 else hidden_size, hidden_size) for i in range(num_layers)]
    gru = sum(p.numel() for cell in layers for p in cell.parameters())
    return gru, gru // 3 * 4


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
