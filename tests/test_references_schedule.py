"""The schedule reference against torch's own schedulers and closed forms, in float64."""

import copy
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

COURSE = Path(__file__).parents[1]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


schedule = load(COURSE / "reference" / "schedule.py")


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(20170612)
    yield
    torch.set_default_dtype(torch.float32)


def assert_same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


# -- the formula --------------------------------------------------------------------------------


@pytest.mark.parametrize("d_model", [64, 512])
@pytest.mark.parametrize("warmup", [4, 10, 4000])
def test_the_curve_is_a_line_up_to_its_peak_and_then_an_inverse_root(
    d_model: int, warmup: int
) -> None:
    curve = schedule.factor_curve(d_model, warmup, 3 * warmup)
    t = torch.arange(1, 3 * warmup + 1, dtype=torch.float64)
    peak = (d_model * warmup) ** -0.5
    assert_same(curve, torch.where(t < warmup, peak * t / warmup, peak * (warmup / t).sqrt()))
    assert int(curve.argmax()) + 1 == warmup
    assert float(curve.max()) == pytest.approx(schedule.peak_factor(d_model, warmup), rel=1e-12)


def test_the_two_branches_meet_where_the_warm_up_ends() -> None:
    before, at, after = (schedule.warmup_factor(t, 512, 4000) for t in (3999, 4000, 4001))
    assert at - before == pytest.approx(at / 4000, rel=1e-9)
    assert 0 < at - after < at / 4000


def test_before_the_first_update_the_factor_is_zero() -> None:
    assert schedule.warmup_factor(0, 512, 4000) == 0.0


def test_the_hand_outs_table_is_what_it_says() -> None:
    rates = schedule.scheduled_rates(torch.tensor([1.0, 0.5]), 16, 4, 9)
    assert_same(rates[:4, 0], torch.tensor([0.03125, 0.0625, 0.09375, 0.125]))
    assert_same(rates[:, 1], rates[:, 0] / 2)
    assert float(rates[8, 0]) == pytest.approx(0.0833, abs=5e-5)


# -- the scheduler ------------------------------------------------------------------------------


def test_rates_are_those_of_lambda_lr_in_every_group() -> None:
    bases = [1.0, 0.3, 2.5]
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": base} for base in bases]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    twin = LambdaLR(optimizer, lambda n: schedule.warmup_factor(n + 1, 64, 10))
    theirs = []
    for _ in range(30):
        theirs.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        twin.step()
    assert_same(schedule.scheduled_rates(torch.tensor(bases), 64, 10, 30), torch.tensor(theirs))


def test_resumed_rates_are_those_of_a_run_that_never_stopped() -> None:
    bases = torch.tensor([1.0, 0.3, 2.5])
    whole = schedule.scheduled_rates(bases, 64, 10, 30)
    for saved in (0, 1, 9, 10, 17):
        rest = schedule.resumed_rates(bases, 64, 10, saved, 4, 30 - saved)
        assert_same(rest, whole[saved:])


def test_a_loaded_schedule_tells_the_rates_that_it_has_set() -> None:
    optimizer, saved, _ = schedule.begin([1.0, 0.5], 16, 4)
    schedule.run(optimizer, saved, 3)
    optimizer, resumed, _ = schedule.begin([2.0, 2.0], 5, 9)
    resumed.load_state_dict(saved.state_dict())
    assert resumed.get_last_lr() == saved.get_last_lr() == [g["lr"] for g in optimizer.param_groups]


def test_a_state_survives_torchs_own_file_format(tmp_path: Path) -> None:
    _, saved, _ = schedule.begin([1.0, 0.5], 16, 4)
    torch.save(saved.state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True) == saved.state_dict()


# -- the loop -----------------------------------------------------------------------------------


def test_the_loop_is_gradient_descent_at_the_scheduled_rates() -> None:
    model, inputs, targets = nn.Linear(4, 3), torch.randn(2, 5, 4), torch.randn(2, 5, 3)
    weight, bias = (parameter.detach().clone() for parameter in model.parameters())
    losses, rates = schedule.training_record(copy.deepcopy(model), inputs, targets, 16, 4, 5)
    expected = []
    for n in range(10):
        weight.requires_grad_()
        bias.requires_grad_()
        loss = ((inputs[n % 2] @ weight.T + bias - targets[n % 2]) ** 2).sum() / 15
        slopes = torch.autograd.grad(loss, [weight, bias])
        rate = schedule.warmup_factor(n + 1, 16, 4)
        weight = (weight - rate * slopes[0]).detach()
        bias = (bias - 0.25 * rate * slopes[1]).detach()
        expected.append(loss.item())
    assert_same(losses, torch.tensor(expected))
    assert_same(rates, schedule.scheduled_rates(torch.tensor([1.0, 0.25]), 16, 4, 10))
