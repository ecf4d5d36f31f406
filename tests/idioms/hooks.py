import torch
from torch import nn


def run():
    torch.manual_seed(14)
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))
    seen, grads = {}, []
    handle = model[1].register_forward_hook(lambda m, i, o: seen.update(out=o.detach()))
    model[0].register_full_backward_hook(lambda m, gi, go: grads.append(go[0].clone()))
    model[2].register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    x = torch.ones(1, 2, requires_grad=True)
    x.register_hook(lambda g: g * 10)
    model(x).sum().backward()
    handle.remove()
    return seen["out"], grads[0], x.grad
