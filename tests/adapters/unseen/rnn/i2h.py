import torch
import torch.nn as nn


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, nonlinearity):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.phi = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}.get(
            nonlinearity, lambda a: a
        )

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        return self.phi(self.i2h(combined))
