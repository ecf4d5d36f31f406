"""Gradients: right, absent, detached, and right for a forward that is wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy_entries import Entry, a_case, answer, examine, findings, parameter, prepared
from tiny_course import RIGHT, make_course

from grader.assignment import read_assignment
from grader.checks.gradients import cotangents, follow_up, trials
from grader.expected import Standard, from_reference
from grader.mistakes import NoMistakes
from grader.pipeline import Desk, grade
from grader.sandbox.runner import Runner
from grader.types import (
    CheckUse,
    Finding,
    Provenance,
    RawOutput,
    Setting,
    Submission,
    SubmittedFile,
    Verdict,
)

CASE = a_case({"x": "normal(B, I)"}, {"B": 3, "I": 4, "O": 2}, {"y": "B, O"})


class Layer(Entry):
    """factor * tanh(x W^T + b), with its gradients worked out by hand."""

    parameters: ClassVar = (parameter("W", 2, 4), parameter("b", 2))
    factor = 1.0

    def hidden(self, x: Any) -> Any:
        return np.tanh(x @ self.weights["W"].T + self.weights["b"])

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        return self.factor * self.hidden(x)

    def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:  # type: ignore[override]
        inner = self.factor * cotangents[0] * (1 - self.hidden(x) ** 2)
        return {"x": inner @ self.weights["W"], "W": inner.T @ x, "b": inner.sum(0)}


class Changed(Layer):
    """A layer whose gradients are changed by `change`."""

    change: ClassVar[dict[str, Any]] = {}

    def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:
        return super().gradients(cotangents, x) | self.change


def changed(**change: Any) -> type[Layer]:
    return type("ChangedLayer", (Changed,), {"change": change})


def gradient(student: type[Entry]) -> Finding:
    return examine(CASE, "gradient", Layer, student)


def test_gradients_worked_out_right_pass() -> None:
    assert gradient(Layer).verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["x", "W", "b"])
def test_a_gradient_that_never_arrives_is_named(name: str) -> None:
    found = gradient(changed(**{name: None}))
    assert (found.verdict, found.code, found.facts) == (
        Verdict.FAIL,
        "gradient.absent",
        {"name": name},
    )


def test_a_parameter_that_is_not_listed_has_no_gradient() -> None:
    class Forgetful(Layer):
        def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:
            return {"x": super().gradients(cotangents, x)["x"]}

    assert gradient(Forgetful).code == "gradient.absent"


def test_a_detached_gradient_differs() -> None:
    found = gradient(changed(W=np.zeros((2, 4))))
    assert (found.verdict, found.code) == (Verdict.FAIL, "gradient.mismatch")
    assert found.facts["name"] == "W" and found.facts["wrong"] == 8


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_differs(bad: float) -> None:
    assert gradient(changed(b=np.array([bad, bad]))).code == "gradient.mismatch"


def test_a_gradient_of_another_shape_is_told_with_both_shapes() -> None:
    found = gradient(changed(b=np.zeros(3)))
    assert found.code == "shape.mismatch"
    assert (found.facts["expected"], found.facts["got"]) == ([2], [3])


def test_a_gradient_is_held_to_the_tolerance() -> None:
    class Near(Layer):
        by = 1e-8

        def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:
            right = super().gradients(cotangents, x)
            return {name: array * (1 + self.by) for name, array in right.items()}

    assert gradient(Near).verdict is Verdict.PASS
    assert gradient(type("Far", (Near,), {"by": 3e-7})).code == "gradient.mismatch"


class Idle(Layer):
    """Has a parameter whose gradient vanishes, like the bias of a key."""

    idle: ClassVar[Any] = np.zeros(2)

    def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:
        return super().gradients(cotangents, x) | {"extra": self.idle}


def test_a_gradient_that_vanishes_may_as_well_be_absent() -> None:
    assert examine(CASE, "gradient", Idle, changed(extra=None)).verdict is Verdict.PASS


def test_a_gradient_where_the_reference_stops_it_is_unwanted() -> None:
    reference = changed(x=None)
    assert examine(CASE, "gradient", reference, reference).verdict is Verdict.PASS
    assert examine(CASE, "gradient", reference, changed(x=np.zeros((3, 4)))).code == ""
    found = examine(CASE, "gradient", reference, Layer)
    assert (found.verdict, found.code, found.facts) == (
        Verdict.FAIL,
        "gradient.unwanted",
        {"name": "x"},
    )


# -- a forward that is wrong already ----------------------------------------------------------


class Doubled(Layer):
    factor = 2.0


class DoubledForwardOnly(Layer):
    """A wrong forward whose gradients are those of the right one."""

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        return 2 * self.hidden(x)


def test_a_wrong_forward_with_its_own_gradient_is_told_to_begin_there() -> None:
    found = gradient(Doubled)
    assert (found.verdict, found.code) == (Verdict.BLOCKED, "gradient.own_forward")


def test_a_wrong_forward_with_another_gradient_fails_by_name_and_slope() -> None:
    found = gradient(DoubledForwardOnly)
    assert (found.verdict, found.code) == (Verdict.FAIL, "gradient.against_own_forward")
    assert found.facts["name"] == "x"
    assert found.facts["expected"] == pytest.approx(2 * found.facts["got"], rel=1e-4)


def test_a_wrong_forward_detached_from_one_tensor_names_it() -> None:
    class Detached(Doubled):
        def gradients(self, cotangents: Any, x: Any) -> dict[str, Any]:
            return super().gradients(cotangents, x) | {"b": None}

    found = gradient(Detached)
    assert (found.code, found.facts["name"], found.facts["got"]) == (
        "gradient.against_own_forward",
        "b",
        0.0,
    )


def test_a_wrong_shape_has_no_gradient_to_judge() -> None:
    class Wider(Layer):
        def __call__(self, x: Any) -> Any:  # type: ignore[override]
            return np.concatenate([self.hidden(x)] * 2, 1)

    assert gradient(Wider).code == "relation.needs_values"


def test_small_steps_are_asked_for_only_where_the_forward_is_wrong() -> None:
    ready = prepared(CASE, Layer)
    (backward,) = trials(ready, {})

    def asked(student: type[Entry], setting: Setting = ready) -> list[str]:
        seen = {"base": answer(student, ready.base), "gradients": answer(student, backward)}
        return [trial.variant for trial in follow_up(setting, seen, {})]

    assert asked(Layer) == []
    assert asked(Doubled) == ["slopes"]
    in_train_mode = replace(ready, case=replace(ready.case, mode="train"))
    assert asked(Doubled, in_train_mode) == []


def test_where_the_task_stops_a_gradient_a_wrong_forward_is_held_against_no_slope() -> None:
    stops = CheckUse(name="gradient", options={"stops": True})
    for student in (Doubled, DoubledForwardOnly):
        (found,) = findings(prepared(CASE, Layer), student, stops)
        assert (found.verdict, found.code) == (Verdict.BLOCKED, "relation.needs_values")
    (found,) = findings(prepared(CASE, Layer), changed(b=None), stops)
    assert (found.verdict, found.code) == (Verdict.FAIL, "gradient.absent")


def test_small_steps_that_did_not_come_back_accuse_nobody() -> None:
    def lost(name: str, output: RawOutput) -> RawOutput | None:
        return None if name.endswith("slopes") else output

    (found,) = findings(
        prepared(CASE, Layer), DoubledForwardOnly, CheckUse(name="gradient"), edit=lost
    )
    assert (found.verdict, found.code) == (Verdict.BLOCKED, "relation.needs_values")


def test_cotangents_are_fixed_and_reach_float_outputs_only() -> None:
    case = a_case({"x": "normal(B)"}, {"B": 3}, {"y": "B", "order": "B"})
    ready = prepared(case, lambda x: (x, np.argsort(x)))
    (first,) = cotangents(ready)
    assert first.shape == (3,) and np.array_equal(first, cotangents(ready)[0])


@pytest.mark.parametrize("lost", ["base", "gradients"])
def test_a_trial_without_an_answer_is_our_fault(lost: str) -> None:
    def edit(name: str, output: RawOutput) -> RawOutput | None:
        return None if name.endswith(lost) else output

    (found,) = findings(prepared(CASE, Layer), Layer, CheckUse(name="gradient"), edit=edit)
    assert found.verdict is Verdict.BROKEN


# -- with torch, the whole way ----------------------------------------------------------------


@pytest.fixture(scope="module")
def standard(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Standard:
    course: Path = make_course(tmp_path_factory.mktemp("course") / "c")
    return from_reference(read_assignment(course, "tiny"), runner.run, "secret")


FACTOR = "return self.factor * x"


@pytest.mark.parametrize(
    ("body", "verdict", "code"),
    [
        (FACTOR, Verdict.PASS, ""),
        ("return self.factor.detach() * x", Verdict.FAIL, "gradient.absent"),
        ("return self.factor * x.detach()", Verdict.FAIL, "gradient.absent"),
        ("return 2 * self.factor * x", Verdict.BLOCKED, "gradient.own_forward"),
        ("return self.factor * x.detach() * x", Verdict.FAIL, "gradient.against_own_forward"),
    ],
)
def test_autograd_is_judged_as_hand_written_gradients_are(
    runner: Runner, standard: Standard, body: str, verdict: Verdict, code: str
) -> None:
    source = RIGHT.replace(FACTOR, body)
    file = SubmittedFile(name="tiny.py", content=source.encode())
    submission = Submission(student="s", assignment="tiny", path="s.py", files=(file,))
    provenance = Provenance(key="", engine="", torch="", numpy="", isolation="E")
    desk = Desk(standard=standard, skeleton=b"", open=runner.open, mistakes=NoMistakes())
    (scale,) = [each for each in grade(submission, desk, provenance).criteria if each.id == "scale"]
    found = [each for each in scale.findings if each.check == "gradient"]
    # Small steps are tried in one case of a criterion; the other one says nothing of its own.
    assert len(found) == (1 if "own_forward" in code else 2)
    assert {(each.verdict, each.code) for each in found} == {(verdict, code)}
