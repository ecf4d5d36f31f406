import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_f = nn.Linear(hidden_size + input_size, hidden_size)
        self.W_i = nn.Linear(hidden_size + input_size, hidden_size)
        self.W_c = nn.Linear(hidden_size + input_size, hidden_size)
        self.W_o = nn.Linear(hidden_size + input_size, hidden_size)

    def forward(self, x, state):
        h, c = state
        z = torch.cat([h, x], dim=-1)
        f, i, g, o = self.W_f(z), self.W_i(z), self.W_c(z), self.W_o(z)
        i, f, g, o = (torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, c
