import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_r = nn.Parameter(torch.empty(input_size, hidden_size))
        self.U_r = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b_r = nn.Parameter(torch.empty(hidden_size))
        self.W_z = nn.Parameter(torch.empty(input_size, hidden_size))
        self.U_z = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b_z = nn.Parameter(torch.empty(hidden_size))
        self.W_h = nn.Parameter(torch.empty(input_size, hidden_size))
        self.U_h = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b_h = nn.Parameter(torch.empty(hidden_size))

    def forward(self, x, h):
        r = torch.sigmoid(x @ self.W_r + h @ self.U_r + self.b_r)
        z = torch.sigmoid(x @ self.W_z + h @ self.U_z + self.b_z)
        n = torch.tanh(x @ self.W_h + r * (h @ self.U_h) + self.b_h)
        h = (1 - z) * n + z * h
        return h
