import torch
import torch.autograd.forward_ad as fwad


def run():
    x, tangent = torch.linspace(0.1, 1, 4), torch.ones(4)
    with fwad.dual_level():
        dual = fwad.make_dual(x, tangent)
        value, slope = fwad.unpack_dual(dual.sin() * dual)
        slope = slope.clone()
    return slope, torch.func.jvp(torch.tanh, (x,), (tangent,))[1]
