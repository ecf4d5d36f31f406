import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, hidden_size, input_size):
        super().__init__()
        self.x2h = nn.Linear(input_size, 3 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 3 * hidden_size)

    def forward(self, inputs, hidden):
        xr, xz, xn = self.x2h(inputs).chunk(3, dim=-1)
        hr, hz, hn = self.h2h(hidden).chunk(3, dim=-1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        h = (1 - z) * n + z * hidden
        return {'state': h}
