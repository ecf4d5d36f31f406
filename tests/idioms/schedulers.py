import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR, ExponentialLR, LambdaLR, MultiStepLR, OneCycleLR, ReduceLROnPlateau, StepLR,
)


def rates(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    out = []
    for step in range(12):
        optimizer.step()
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(1.0)
        else:
            scheduler.step()
        out.append(optimizer.param_groups[0]["lr"])
    return torch.tensor(out)


def run():
    return (
        rates(lambda o: StepLR(o, 3, gamma=0.5)),
        rates(lambda o: MultiStepLR(o, [2, 5])),
        rates(lambda o: CosineAnnealingLR(o, T_max=12)),
        rates(lambda o: ExponentialLR(o, 0.9)),
        rates(lambda o: OneCycleLR(o, max_lr=2.0, total_steps=12)),
        rates(lambda o: ReduceLROnPlateau(o, patience=2)),
        rates(lambda o: LambdaLR(o, lambda s: min((s + 1) ** -0.5, (s + 1) * 4**-1.5))),
    )
