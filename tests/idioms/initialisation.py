import torch
from torch import nn


def init(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=nn.init.calculate_gain("tanh"))
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LSTM):
        for name, parameter in module.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            elif "weight" in name:
                nn.init.kaiming_normal_(parameter)
            else:
                nn.init.constant_(parameter, 0.0)
                n = parameter.size(0)
                parameter.data[n // 4 : n // 2].fill_(1.0)


def run():
    torch.manual_seed(21)
    model = nn.ModuleList([nn.Linear(3, 4), nn.LSTM(4, 5)])
    model.apply(init)
    return [parameter.detach() for parameter in model.parameters()]
