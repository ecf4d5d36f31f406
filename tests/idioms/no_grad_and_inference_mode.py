import torch
from torch import nn


@torch.no_grad()
def evaluate(model, x):
    model.eval()
    return model(x)


def run():
    torch.manual_seed(17)
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))
    out = evaluate(model, torch.ones(4, 3))
    with torch.inference_mode():
        inferred = model(torch.ones(4, 3))
    with torch.enable_grad(), torch.set_grad_enabled(True):
        needs = model(torch.ones(4, 3)).requires_grad
    return out, inferred.clone(), out.requires_grad, needs, torch.is_grad_enabled()
