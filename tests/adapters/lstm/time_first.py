import torch
from torch import nn


class LSTM(nn.Module):
    def __init__(self, input_dim, hidden_dim, layers):
        super().__init__()
        self.hidden_dim = hidden_dim
        dims = [input_dim] + [hidden_dim] * (layers - 1)
        self.layers = nn.ModuleList(nn.LSTMCell(d, hidden_dim) for d in dims)

    def forward(self, inputs, hidden=None):
        T, B, _ = inputs.shape
        N, H = len(self.layers), self.hidden_dim
        h, c = hidden if hidden is not None else (inputs.new_zeros(N, B, H), inputs.new_zeros(N, B, H))
        h, c, out = list(h), list(c), []
        for x in inputs:
            for n, layer in enumerate(self.layers):
                h[n], c[n] = layer(x, (h[n], c[n]))
                x = h[n]
            out.append(x)
        return torch.stack(out), (torch.stack(h), torch.stack(c))
