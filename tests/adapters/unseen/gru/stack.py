import torch
import torch.nn as nn


class Layer(nn.Module):
    def __init__(self, n_in, n_hid):
        super().__init__()
        self.n_hid = n_hid
        self.gates_x = nn.Linear(n_in, 2 * n_hid)
        self.gates_h = nn.Linear(n_hid, 2 * n_hid)
        self.new_x = nn.Linear(n_in, n_hid)
        self.new_h = nn.Linear(n_hid, n_hid)

    def forward(self, xs, h):
        out = []
        for x in xs.unbind(1):
            z, r = torch.sigmoid(self.gates_x(x) + self.gates_h(h)).split(self.n_hid, dim=1)
            n = torch.tanh(self.new_x(x) + r * self.new_h(h))
            h = n + z * (h - n)
            out.append(h)
        return torch.stack(out, dim=1), h


class MyGRU(nn.Module):
    def __init__(self, n_in, n_hid, depth):
        super().__init__()
        sizes = [n_in] + [n_hid] * depth
        self.layers = nn.ModuleList(Layer(a, n_hid) for a in sizes[:-1])

    def forward(self, xs, start=None):
        if start is None:
            start = xs.new_zeros(xs.shape[0], len(self.layers), self.layers[0].n_hid)
        last = []
        for layer, h in zip(self.layers, start.unbind(1)):
            xs, h = layer(xs, h)
            last.append(h)
        return {"all": xs, "last": torch.stack(last, dim=1)}
