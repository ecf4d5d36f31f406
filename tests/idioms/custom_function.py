import torch


class Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.bounds = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        low, high = ctx.bounds
        return grad * ((x >= low) & (x <= high)), None, None


def run():
    x = torch.linspace(-2, 2, 7, requires_grad=True)
    Clip.apply(x, -1.0, 1.0).pow(2).sum().backward()
    return x.grad
