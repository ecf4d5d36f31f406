import torch


def run():
    torch.manual_seed(28)
    x = torch.randn(3, requires_grad=True)
    (first,) = torch.autograd.grad((x**4).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    with torch.autograd.set_detect_anomaly(True):
        loss = (x.exp() * x.detach()).sum()
        loss.backward(retain_graph=True)
    return first, second, x.grad, loss.grad_fn.name()
