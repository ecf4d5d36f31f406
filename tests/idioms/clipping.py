import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector


def run():
    torch.manual_seed(23)
    rnn = nn.RNN(2, 3, num_layers=2)
    rnn(torch.randn(30, 1, 2))[0].pow(2).sum().mul(100).backward()
    norm = clip_grad_norm_(rnn.parameters(), max_norm=1.0)
    clip_grad_value_(rnn.parameters(), 0.1)
    return norm, parameters_to_vector([p.grad for p in rnn.parameters()])
