import torch


def run():
    torch.manual_seed(12)
    x = torch.randn(3, 2, dtype=torch.double, requires_grad=True)
    w = torch.randn(2, 2, dtype=torch.double, requires_grad=True)
    f = lambda x, w: torch.tanh(x @ w)
    return torch.autograd.gradcheck(f, (x, w)), torch.autograd.gradgradcheck(f, (x, w))
