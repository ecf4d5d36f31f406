import torch
from torch import nn
from torch.nn import functional as F


def run():
    torch.manual_seed(29)
    x = torch.randn(2, 5, 8)
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    out, weights = attention(x, x, x, need_weights=True)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    lstm = nn.LSTM(8, 4, num_layers=2, bidirectional=True, batch_first=True)
    sdpa = F.scaled_dot_product_attention(x, x, x, is_causal=True)
    emb = nn.Embedding(10, 4, padding_idx=0)(torch.tensor([0, 3]))
    return out, weights, encoder.eval()(x), lstm(x)[0], sdpa, emb, nn.LayerNorm(8)(x)
