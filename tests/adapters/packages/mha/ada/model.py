from torch import nn

from .layers.heads import Projections
from .layers import attention
from .settings import DROPOUT


class MultiHead(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.projections = Projections(d_model, n_heads)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.projections(query, key, value)
        out, weights = attention.attend(q, k, v, mask)
        return self.dropout(self.projections.join(out)), weights
