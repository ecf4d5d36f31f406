import math

import torch
from torch import nn


from dataclasses import dataclass


@dataclass
class GPTConfig:
    n_embd: int = 768
    n_head: int = 12
    bias: bool = False


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.h = config.n_head
        self.w_q, self.w_k, self.w_v, self.w_o = (
            nn.Linear(config.n_embd, config.n_embd, bias=config.bias) for _ in range(4)
        )

    def forward(self, query, key, value, mask=None):
        heads = lambda x: x.unflatten(-1, (self.h, -1)).transpose(1, 2)
        q, k, v = heads(self.w_q(query)), heads(self.w_k(key)), heads(self.w_v(value))
        scores = q @ k.mT / math.sqrt(q.size(-1))
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1).nan_to_num()
        out = self.w_o((weights @ v).transpose(1, 2).flatten(2))
        return out, weights
