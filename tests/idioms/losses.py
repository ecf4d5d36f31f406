import torch
from torch import nn
from torch.nn import functional as F


def run():
    torch.manual_seed(30)
    logits, target = torch.randn(4, 5), torch.tensor([1, 0, 4, -100])
    return (
        F.cross_entropy(logits, target, ignore_index=-100, label_smoothing=0.1),
        nn.NLLLoss()(logits.log_softmax(-1), target.clamp(min=0)),
        nn.KLDivLoss(reduction="batchmean")(logits.log_softmax(-1), torch.full((4, 5), 0.2)),
        F.binary_cross_entropy_with_logits(logits, torch.ones(4, 5)),
        F.one_hot(target.clamp(min=0), 5).sum(0),
        nn.CTCLoss()(
            torch.randn(6, 1, 5).log_softmax(2), torch.tensor([[1, 2]]), torch.tensor([6]),
            torch.tensor([2]),
        ),
    )
