import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, state):
        h, c = state
        f, i, o, g = self.W(torch.cat([x, h], dim=-1)).chunk(4, dim=-1)
        i, f, g, o = (torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, c
