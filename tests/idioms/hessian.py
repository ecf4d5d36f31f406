import torch
from torch.autograd.functional import hessian, jacobian, jvp


def run():
    f = lambda x: (x**3).sum() + x.prod()
    x = torch.tensor([1.0, 2.0, 3.0])
    return hessian(f, x), jacobian(torch.exp, x), jvp(f, x, torch.ones(3))[1]
