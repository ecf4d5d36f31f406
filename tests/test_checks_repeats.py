"""What must hold when the same call is made again, shown on code of a few lines."""

from typing import Any, ClassVar

import numpy as np
import pytest
from numpy_entries import Entry, Student, a_case, examine, findings, prepared

from grader.types import CheckUse, Finding, RawOutput, Verdict

CASE = a_case({"x": "normal(B, D)"}, {"B": 3, "D": 4}, {"y": "B, D"})
NEEDS_VALUES = (Verdict.BLOCKED, "relation.needs_values")


def doubled(x: Any) -> Any:
    return 2 * x


def found_by(check: str, student: Student, reference: Student = doubled) -> tuple[Verdict, str]:
    found = examine(CASE, check, reference, student)
    return found.verdict, found.code


# -- pure -------------------------------------------------------------------------------------


def in_place(x: Any) -> Any:
    x *= 2
    return x


def test_arguments_left_alone_pass() -> None:
    assert found_by("pure", doubled) == (Verdict.PASS, "")


def test_an_in_place_change_is_seen_in_the_argument() -> None:
    found = examine(CASE, "pure", doubled, in_place)
    assert (found.verdict, found.code) == (Verdict.FAIL, "pure.changed")
    assert found.facts["argument"] == "x" and found.facts["by"] > 0.01


def test_a_change_within_a_tuple_is_seen_at_its_path() -> None:
    case = a_case({"s": ["normal(B)", "normal(B)"]}, {"B": 3}, {"y": "B"})

    def total(s: Any) -> Any:
        return s[0] + s[1]

    def changing(s: Any) -> Any:
        y = s[0] + s[1]
        s[1][0] = 0.0
        return y

    assert examine(case, "pure", total, changing).facts["argument"] == "s[1]"


def test_arguments_left_alone_with_wrong_values_are_blocked() -> None:
    assert found_by("pure", lambda x: 3 * x) == NEEDS_VALUES


def test_an_argument_that_does_not_come_back_counts_as_changed() -> None:
    def dropped(name: str, output: RawOutput) -> RawOutput:
        return RawOutput(outcome=output.outcome, leaves=output.leaves)

    ready = prepared(CASE, doubled)
    (found,) = findings(ready, doubled, CheckUse(name="pure"), edit=dropped)
    assert found.code == "pure.changed"


def test_to_see_the_arguments_costs_no_trial_of_its_own() -> None:
    def noted(name: str, output: RawOutput) -> RawOutput:
        assert name == "base"
        return output

    ready = prepared(CASE, doubled)
    (found,) = findings(ready, doubled, CheckUse(name="pure"), edit=noted)
    assert found.verdict is Verdict.PASS
    raising = findings(ready, lambda x: 1 // 0, CheckUse(name="pure"), edit=noted)
    assert [(each.verdict, each.code) for each in raising] == [(Verdict.ERROR, "outcome.raised")]


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_a_model_among_the_arguments_has_to_keep_its_mode(mode: str) -> None:
    logits = {"stored_logits": {"rows": 2, "length": 3, "vocabulary": 4, "mode": mode}}
    case = a_case({"model": logits, "x": "normal(B)"}, {"B": 3}, {"y": "B"})

    def right(model: Any, x: Any) -> Any:
        return x

    def forgets(model: Any, x: Any) -> Any:
        model.training = not model.training
        return x

    assert examine(case, "pure", right, right).verdict is Verdict.PASS
    found = examine(case, "pure", right, forgets)
    assert (found.code, found.facts) == ("pure.mode", {"argument": "model"})


# -- determinism ------------------------------------------------------------------------------


class Counting(Entry):
    """Keeps what it saw in the call before."""

    calls = 0

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        self.calls += 1
        return 2 * x + (self.calls - 1)


class RandomStart(Entry):
    """Begins from a random state instead of zeros."""

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        return 2 * x + self.chance.standard_normal(x.shape)


class RandomAtBirth(Entry):
    """Draws a state when it is made, and keeps it."""

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        self.state = getattr(self, "state", self.chance.standard_normal())
        return 2 * x + self.state


class GoesOn(Entry):
    """Goes on from the last call's state where it fits, and else begins anew."""

    kept: Any = None

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        state = 0 if self.kept is None or len(self.kept) != len(x) else self.kept
        self.kept = 2 * x + state
        return self.kept


class FirstBatchSize(Entry):
    """Makes its state at the first call and never again."""

    rows = 0

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        self.rows = self.rows or len(x)
        return 2 * x[: self.rows]


def test_a_call_without_memory_passes() -> None:
    assert found_by("determinism", doubled) == (Verdict.PASS, "")


@pytest.mark.parametrize("student", [Counting, RandomStart, RandomAtBirth, FirstBatchSize])
def test_a_kept_or_random_state_is_seen(student: type[Entry]) -> None:
    assert found_by("determinism", student) == (Verdict.FAIL, "determinism.differs")


def test_a_state_kept_for_calls_of_the_same_form_is_seen_in_the_second_of_two() -> None:
    assert found_by("determinism", GoesOn) == (Verdict.FAIL, "determinism.repeated")


def test_the_other_call_has_fewer_items_and_another_seed() -> None:
    seen: list[int] = []

    def watched(x: Any) -> Any:
        seen.append(len(x))
        return 2 * x

    examine(CASE, "determinism", doubled, watched)
    assert seen == [3, 2, 3, 3]


def test_a_call_without_memory_but_with_wrong_values_is_blocked() -> None:
    assert found_by("determinism", lambda x: 3 * x) == NEEDS_VALUES


@pytest.mark.parametrize("calls", [2, 3])
def test_a_later_call_that_returns_nothing_earns_nothing(calls: int) -> None:
    class Once(Entry):
        calls = 0

        def __call__(self, x: Any) -> Any:  # type: ignore[override]
            self.calls += 1
            return 2 * x if self.calls < calls else None

    assert found_by("determinism", Once) == NEEDS_VALUES


# -- mode -------------------------------------------------------------------------------------


class Dropping(Entry):
    """Doubles, and drops in the modes it is told to."""

    modes: ClassVar[tuple[bool, ...]] = (True,)
    factor = 2.0

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        y = self.factor * x
        if self.training in self.modes:
            y = np.where(self.chance.random_sample(y.shape) < 0.5, 0, 2 * y)
        return y


class Always(Dropping):
    modes = (True, False)


class Never(Dropping):
    modes = ()


class OnlyAtEval(Dropping):
    modes = (False,)


class WrongValues(Dropping):
    factor = 3.0


def test_dropout_in_train_mode_only_passes() -> None:
    assert found_by("mode", Dropping, Dropping) == (Verdict.PASS, "")


@pytest.mark.parametrize("student", [Always, OnlyAtEval])
def test_dropout_at_eval_is_noisy(student: type[Entry]) -> None:
    assert found_by("mode", student, Dropping) == (Verdict.FAIL, "mode.noisy")


def test_dropout_that_never_acts_is_seen() -> None:
    assert found_by("mode", Never, Dropping) == (Verdict.FAIL, "mode.same")


def test_dropout_in_its_place_with_wrong_values_is_blocked() -> None:
    assert found_by("mode", WrongValues, Dropping) == NEEDS_VALUES


def test_another_shape_in_train_mode_earns_nothing() -> None:
    class Shorter(Dropping):
        def __call__(self, x: Any) -> Any:
            return super().__call__(x)[: 2 if self.training else None]

    assert found_by("mode", Shorter, Dropping) == NEEDS_VALUES


@pytest.mark.parametrize("check", ["determinism", "mode"])
def test_a_trial_that_raises_is_an_error_and_one_without_answer_our_fault(check: str) -> None:
    reference = Dropping if check == "mode" else doubled
    ready = prepared(CASE, reference)
    calls: list[int] = []

    def raises_later(x: Any) -> Any:
        calls.append(1)
        return 2 * x if len(calls) < 2 else 1 // 0

    (found,) = findings(ready, raises_later, CheckUse(name=check))
    assert (found.verdict, found.code) == (Verdict.ERROR, "outcome.raised")
    found = _unanswered(check, reference)
    assert (found.verdict, found.code) == (Verdict.BROKEN, "outcome.broken")


def _unanswered(check: str, reference: Student) -> Finding:
    def edit(name: str, output: RawOutput) -> RawOutput | None:
        return output if name == "base" else None

    (found,) = findings(prepared(CASE, reference), reference, CheckUse(name=check), edit=edit)
    return found
