import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def warmup_factor(update: int, d_model: int, warmup: int) -> float:
    """Factor of one update: linear warm-up, then decay by the inverse square root.

    Args:
        update: t, counted from 1; 0 stands for the moment before the first.
        d_model: D.
        warmup: w, at least 1.

    Returns:
        What base rates are multiplied by; 0 for t = 0.
    """
    scale = 1 / math.sqrt(d_model)
    if update < warmup:
        return scale * update / (warmup * math.sqrt(warmup))
    return scale / math.sqrt(update)


def peak_factor(d_model: int, warmup: int) -> float:
    """The greatest factor of all, without a look at every update.

    Args:
        d_model: D.
        warmup: w, at least 1.

    Returns:
        The factor at t = w.
    """
    return 1 / math.sqrt(d_model) / math.sqrt(warmup)


def factor_curve(d_model: int, warmup: int, updates: int) -> Tensor:
    """Given: the factors of the updates 1 to U, (U,)."""
    return torch.tensor([warmup_factor(t, d_model, warmup) for t in range(1, updates + 1)])


class WarmupSchedule(LRScheduler):
    """Sets the rate of every parameter group before each update."""

    def __init__(self, optimizer: Optimizer, d_model: int, warmup: int) -> None:
        """Take over an optimiser: its present rates become base rates, those of t = 1 are set."""
        self.d_model = d_model
        self.warmup = warmup
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        """Rates of the next update.

        Returns:
            One for each of the G groups, when `last_epoch` updates have been made.
        """
        rates = []
        for group_number in range(len(self.optimizer.param_groups)):
            rates.append(self.base_lrs[group_number] * warmup_factor(1 + self.last_epoch, self.d_model, self.warmup))
        return rates

    def state_dict(self) -> dict:
        """Everything that the rates depend on, as it is now.

        Returns:
            Number of updates, base rates, D and w, under names of your own. What happens to the
            schedule afterwards does not change it.
        """
        return super().state_dict()

    def load_state_dict(self, state: dict) -> None:
        """Go on where the schedule that was saved stopped.

        Args:
            state: what `state_dict` returned. This schedule may have been made with other base
                rates, another D and another w; those of the state count. The number of groups is
                the same.

        The rates of the next update are set in the optimiser's groups at once.
        """
        super().load_state_dict(state)
        for group, rate in zip(self.optimizer.param_groups, self.get_lr()):
            group["lr"] = rate


def recorded(optimizer: Optimizer) -> list[list[float]]:
    """Given: a list that grows by the rates of all groups whenever an update is made."""
    rates: list[list[float]] = []
    optimizer.register_step_pre_hook(
        lambda updated, *_: rates.append([float(group["lr"]) for group in updated.param_groups])
    )
    return rates


def begin(
    base_rates: list[float], d_model: int, warmup: int
) -> tuple[Optimizer, WarmupSchedule, list[list[float]]]:
    """Given: an optimiser of one group for each base rate, its schedule, its recorded rates."""
    groups = [{"params": [nn.Parameter(torch.zeros(2))], "lr": rate} for rate in base_rates]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    rates = recorded(optimizer)
    return optimizer, WarmupSchedule(optimizer, d_model, warmup), rates


def run(optimizer: Optimizer, schedule: WarmupSchedule, updates: int) -> None:
    """Given: make some updates."""
    for _ in range(updates):
        optimizer.step()
        schedule.step()


def scheduled_rates(base_rates: Tensor, d_model: int, warmup: int, updates: int) -> Tensor:
    """Given: the rates of the updates 1 to U for base rates (G,): (U, G)."""
    optimizer, schedule, rates = begin(base_rates.tolist(), d_model, warmup)
    run(optimizer, schedule, updates)
    return torch.tensor(rates)


def resumed_rates(
    base_rates: Tensor, d_model: int, warmup: int, updates: int, lost: int, more: int
) -> Tensor:
    """Given: save after some updates, lose a few more in a crash, resume; the rates from there on.

    The new optimiser and the new schedule are made with other numbers. Returns (more, G).
    """
    optimizer, schedule, _ = begin(base_rates.tolist(), d_model, warmup)
    run(optimizer, schedule, updates)
    saved = schedule.state_dict()
    run(optimizer, schedule, lost)
    optimizer, schedule, rates = begin([3.0] * len(base_rates), d_model=2, warmup=7)
    schedule.load_state_dict(saved)
    run(optimizer, schedule, more)
    return torch.tensor(rates)


def train(
    model: nn.Module,
    optimizer: Optimizer,
    schedule: LRScheduler,
    inputs: Tensor,
    targets: Tensor,
    epochs: int,
) -> list[float]:
    """Train in place, batch after batch, by the mean squared error.

    Args:
        model: maps a batch of inputs (B, I) to (B, O).
        optimizer: of the model's parameters.
        schedule: of the optimiser; the rates of the first update are set already.
        inputs: N batches, (N, B, I), in the order in which they are used in every epoch.
        targets: (N, B, O).
        epochs: how often all batches are used.

    Returns:
        The loss of every update, computed before it: `epochs * N` floats.
    """
    record = []
    for epoch in range(epochs):
        for n in range(inputs.shape[0]):
            prediction = model(inputs[n])
            error = (prediction - targets[n]).pow(2).mean()
            record.append(error.detach().item())
            model.zero_grad(set_to_none=True)
            error.backward()
            optimizer.step()
            schedule.step()
    return record


def training_record(
    model: nn.Module, inputs: Tensor, targets: Tensor, d_model: int, warmup: int, epochs: int
) -> tuple[Tensor, Tensor]:
    """Given: train with two groups; the loss of every update, (U,), and its rates, (U, 2)."""
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    biases = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": matrices, "lr": 1.0}, {"params": biases, "lr": 0.25}]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    rates = recorded(optimizer)
    schedule = WarmupSchedule(optimizer, d_model, warmup)
    losses = train(model, optimizer, schedule, inputs, targets, epochs)
    return torch.tensor(losses), torch.tensor(rates)


