import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W = nn.Parameter(torch.empty(input_size + hidden_size, 4 * hidden_size))
        self.b = nn.Parameter(torch.empty(4 * hidden_size))

    def forward(self, x, state):
        h, c = state
        i, f, g, o = (torch.cat([x, h], dim=-1) @ self.W + self.b).chunk(4, dim=-1)
        i, f, g, o = (torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, c
