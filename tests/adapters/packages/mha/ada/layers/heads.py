from torch import nn


class Projections(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q, self.k, self.v, self.o = (nn.Linear(d_model, d_model) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def forward(self, query, key, value):
        return self.split(self.q(query)), self.split(self.k(key)), self.split(self.v(value))

    def join(self, heads):
        return self.o(heads.transpose(1, 2).flatten(2))
