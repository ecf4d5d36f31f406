import torch


def run():
    torch.manual_seed(31)
    model = torch.nn.Linear(3, 3)
    compiled = torch.compile(model, backend="eager")
    x = torch.ones(2, 3)
    return compiled(x), torch.allclose(compiled(x), model(x))
