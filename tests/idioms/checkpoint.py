import torch
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


def run():
    torch.manual_seed(9)
    block = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.GELU(), torch.nn.Linear(4, 4))
    x = torch.randn(2, 4, requires_grad=True)
    checkpoint(block, x, use_reentrant=False).sum().backward()
    first = x.grad.clone()
    y = checkpoint_sequential(block, 2, x, use_reentrant=False)
    return first, y
