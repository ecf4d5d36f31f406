import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(2) * i) for i in range(3)])
        self.gates = nn.ModuleDict({"i": nn.Linear(2, 2), "f": nn.Linear(2, 2)})
        self.extra = nn.ParameterDict({"b": nn.Parameter(torch.zeros(2))})

    def forward(self, x):
        for scale in self.scales[1:]:
            x = x * scale
        return sum(gate(x) for gate in self.gates.values()) + self.extra["b"]


def run():
    torch.manual_seed(16)
    net = Net()
    return net(torch.ones(1, 2)), sorted(name for name, _ in net.named_parameters())
