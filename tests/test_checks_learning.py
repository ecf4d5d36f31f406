"""Curves of losses, right and wrong."""

from typing import Any

import numpy as np
import pytest
from numpy_entries import a_case, findings, prepared

from grader.types import CheckUse, Finding, RawOutput, Verdict

ONE_ARRAY = a_case({"x": "normal(B, D)"}, {"B": 3, "D": 2}, {"losses": "steps"}, show="public")
ONE_A_CALL = a_case({"x": "normal(B, D)"}, {"B": 3, "D": 2}, {"loss": ""}, calls=3)


def descent(rate: float = 0.1, steps: int = 5) -> Any:
    """Gradient descent of mean((x w)^2) from w = 1."""

    def train(x: Any) -> Any:
        w, losses = np.ones(2), []
        for _ in range(steps):
            losses.append(((x @ w) ** 2).mean())
            w = w - rate * 2 * x.T @ (x @ w) / len(x)
        return np.array(losses)

    return train


def curve(student: Any, **options: Any) -> Finding:
    ready = prepared(ONE_ARRAY, descent())
    (found,) = findings(ready, student, CheckUse(name="curve", options=options))
    return found


def test_the_same_losses_pass() -> None:
    assert curve(descent()).verdict is Verdict.PASS


def test_another_rate_differs_from_the_second_step_on() -> None:
    found = curve(descent(rate=0.05))
    assert (found.verdict, found.code, found.facts["step"]) == (Verdict.FAIL, "curve.mismatch", 2)
    (picture,) = found.pictures
    assert picture.kind == "curve" and len(picture.values) == 2 and len(picture.values[0]) == 5


def test_a_loss_before_the_update_reported_after_it_differs_at_once() -> None:
    assert curve(lambda x: descent(steps=6)(x)[1:]).facts["step"] == 1


def test_a_curve_of_another_length_is_told_with_both_lengths() -> None:
    found = curve(descent(steps=4))
    assert found.code == "shape.mismatch"
    assert (found.facts["expected"], found.facts["got"]) == ([5], [4])


@pytest.mark.parametrize(("by", "verdict"), [(0.9e-6, Verdict.PASS), (1.2e-6, Verdict.FAIL)])
def test_rounding_of_a_millionth_is_allowed_and_no_more(by: float, verdict: Verdict) -> None:
    found = curve(lambda x: descent()(x) * (1 + by))
    assert found.verdict is verdict


def test_a_rubric_may_allow_more_and_the_report_says_what_was_allowed() -> None:
    assert curve(lambda x: descent()(x) * 1.009, rtol=0.01).verdict is Verdict.PASS
    found = curve(lambda x: descent()(x) * 1.011, rtol=0.01)
    assert found.facts["allowed"] == pytest.approx(0.01 * found.facts["expected"] + 1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1.7e308])
def test_a_loss_that_runs_away_fails_without_a_warning(bad: float) -> None:
    def diverging(x: Any) -> Any:
        losses = descent()(x)
        losses[3:] = bad
        return losses

    found = curve(diverging)
    assert (found.code, found.facts["step"]) == ("curve.mismatch", 4)
    assert bool(found.pictures) == bool(np.isfinite(bad))


def test_one_number_a_call_is_a_curve_too() -> None:
    def loss(x: Any) -> Any:
        return float((x**2).mean())

    ready, use = prepared(ONE_A_CALL, loss), CheckUse(name="curve")
    assert findings(ready, loss, use)[0].verdict is Verdict.PASS
    (found,) = findings(ready, lambda x: float((x**2).sum()), use)
    assert found.facts["step"] == 1 and found.pictures == ()


def test_a_curve_that_was_not_drawn_is_an_error_or_our_fault() -> None:
    ready, use = prepared(ONE_ARRAY, descent()), CheckUse(name="curve")
    assert findings(ready, lambda x: 1 // 0, use)[0].verdict is Verdict.ERROR

    def lost(name: str, output: RawOutput) -> None:
        return None

    assert findings(ready, descent(), use, edit=lost)[0].verdict is Verdict.BROKEN
