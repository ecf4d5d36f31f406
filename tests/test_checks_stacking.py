"""Variants side by side in one batch give what they give one by one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy_entries import a_case, answer, findings, prepared

from grader.checks import CHECKS
from grader.checks.stacking import stack, unstack
from grader.types import Case, CheckUse, Outcome, RawOutput, Setting, Trial, Verdict

SELF = a_case({"x": "normal(B, T, D)"}, {"B": 2, "T": 4, "D": 3}, {"y": "B, T, D", "s": "B, D"})
MASKED = a_case(
    {"x": "normal(B, T, D)", "m": "causal(T, T)"}, {"B": 2, "T": 4, "D": 3}, {"y": "B, T, D"}
)


def running(x: Any, m: Any = None) -> Any:
    y = np.cumsum(x, axis=1)
    return y if m is not None else (y, y[:, -1])


def asked(case: Case, check: str, **options: Any) -> tuple[Setting, tuple[Trial, ...]]:
    setting = prepared(case, running)
    return setting, CHECKS[check].trials(setting, options)


@pytest.mark.parametrize(
    ("case", "check", "options"),
    [
        (SELF, "causal", {"axis": "T"}),
        (SELF, "permutation", {"axis": "T", "times": 5}),
        (SELF, "alone", {"axis": "T"}),
        (MASKED, "causal", {"axis": "T"}),
    ],
)
def test_what_is_unstacked_equals_what_one_by_one_gives(
    case: Case, check: str, options: dict[str, Any]
) -> None:
    setting, trials = asked(case, check, **options)
    (stacked,) = stack(setting, trials)
    parts = dict(unstack(setting, stacked.variant, answer(running, stacked)))
    assert list(parts) == [trial.variant for trial in trials]
    for trial in trials:
        single = answer(running, trial)
        for left, right in zip(parts[trial.variant].leaves[0], single.leaves[0], strict=True):
            assert left.path == right.path
            np.testing.assert_allclose(left.array, right.array)


def test_arrays_without_a_batch_stay_as_they_are() -> None:
    setting, trials = asked(MASKED, "causal", axis="T")
    (stacked,) = stack(setting, trials)
    assert stacked.calls[0].arrays()["m"].shape == (4, 4)
    assert stacked.calls[0].arrays()["x"].shape == (8, 4, 3)


def test_a_mask_without_a_batch_that_is_reordered_is_asked_one_by_one() -> None:
    setting, trials = asked(MASKED, "permutation", axis="T", times=3)
    assert stack(setting, trials) == trials


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "train"},
        {"seed": 7},
        {"probe": "gradients"},
        {"inputs_back": True},
        {"weights": {"w": np.zeros(1)}},
    ],
)
def test_only_plain_calls_are_stacked(change: dict[str, Any]) -> None:
    setting, trials = asked(SELF, "causal", axis="T")
    other = tuple(replace(trial, **change) for trial in trials)
    assert stack(setting, other) == other


def test_an_output_without_a_batch_is_asked_one_by_one() -> None:
    case = replace(SELF, returns={"y": "T, D", "s": "D"})
    setting, trials = asked(SELF, "causal", axis="T")
    assert stack(replace(setting, case=case), trials) == trials


def test_a_question_about_the_batch_is_never_stacked() -> None:
    def mixed(x: Any) -> Any:
        y = np.cumsum(x, axis=1) + 0 * x.mean(axis=0)
        return y - y.mean(axis=0), y[:, -1]

    for use in (CheckUse(name="batch"), CheckUse(name="alone", options={"axis": "B"})):
        (found,) = findings(prepared(SELF, mixed), mixed, use)
        assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "output",
    [
        RawOutput(outcome=Outcome.TIMEOUT),
        RawOutput(outcome=Outcome.OK),
        RawOutput(outcome=Outcome.BROKEN),
    ],
)
def test_what_cannot_be_cut_is_every_variants_answer(output: RawOutput) -> None:
    setting, _ = asked(SELF, "causal", axis="T")
    assert dict(unstack(setting, "causal*3", output)) == {f"causal:{n}": output for n in range(3)}


def test_an_answer_of_another_length_blocks_and_never_crashes() -> None:
    def three_rows(x: Any) -> Any:
        y = np.cumsum(x, axis=1)
        return (y, y[:, -1]) if len(x) == 2 else (y[:3], y[:3, -1])

    use = CheckUse(name="causal", options={"axis": "T"})
    (found,) = findings(prepared(SELF, running), three_rows, use)
    assert (found.verdict, found.code) == (Verdict.BLOCKED, "relation.needs_values")
