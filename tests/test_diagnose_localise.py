"""Where an answer differs: each description on arrays that one can see through."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from numpy_entries import Entry, a_case, answer, leaves, parameter, prepared

from grader.checks.gradients import trials as gradient_trials
from grader.diagnose.localise import DESCRIPTIONS, localise
from grader.reports.messages import LANGUAGES, placeholders, say
from grader.types import Diagnosis, Outcome, RawOutput, Setting

Array = NDArray[np.float64]
RIGHT = np.random.RandomState(3).standard_normal((2, 5, 4))
MASK = np.array([[True, True, True, False, False], [True] * 5])


def a_setting(right: Array = RIGHT, axes: str = "B, T, H", **more: Any) -> Setting:
    """A case whose right answer is `right`."""
    args = {"x": "normal(B, T)", "mask": {"array": MASK[..., None].tolist(), "axes": "B, T, 1"}}
    case = a_case(args, {"B": 2, "T": 5}, {"y": axes} if axes else {}, **more)
    return prepared(case, lambda x, mask: right.copy())


def located(got: Any, setting: Setting | None = None, **answers: RawOutput) -> Diagnosis | None:
    setting = setting or a_setting()
    base = RawOutput(outcome=Outcome.OK, leaves=(leaves(got),))
    came = {("drawn", name): output for name, output in {"base": base, **answers}.items()}
    return localise("Entry", (setting.base,), {"drawn": setting}, came)


def said(found: Diagnosis | None) -> tuple[str, dict[str, Any]]:
    assert found is not None and found.kind == "located" and found.entry == "Entry"
    for language in LANGUAGES:
        assert placeholders(found.code, language) <= found.facts.keys()
        assert say(found.code, found.facts, language)
    return found.code.removeprefix("locate."), dict(found.facts)


def changed(at: Any, by: float = 1.0) -> Array:
    array = RIGHT.copy()
    array[at] += by
    return array


ORDER = [3, 0, 1, 4, 2]
SEEN: dict[str, tuple[Array, str, dict[str, Any]]] = {
    "a factor": (RIGHT * 0.125, "factor", {"output": "y", "factor": 0.125}),
    "a sign": (-RIGHT, "factor", {"output": "y", "factor": -1.0}),
    "a number added": (RIGHT - 2, "offset", {"output": "y", "offset": -2.0}),
    "other axes": (
        RIGHT.transpose(1, 2, 0),
        "transposed",
        {"output": "y", "axes": ["T", "H", "B"]},
    ),
    "two axes swapped": (
        RIGHT.swapaxes(0, 2),
        "transposed",
        {"output": "y", "axes": ["H", "T", "B"]},
    ),
    "another order in time": (RIGHT[:, ORDER], "permuted", {"output": "y", "axis": "T"}),
    "another order of features": (RIGHT[..., ::-1], "permuted", {"output": "y", "axis": "H"}),
    "rows swapped": (RIGHT[::-1], "permuted", {"output": "y", "axis": "B"}),
    "what is masked": (RIGHT + ~MASK[..., None], "masked", {"output": "y", "mask": "mask"}),
    "from a step on": (
        changed(np.s_[:, 2:]),
        "along",
        {"output": "y", "axis": "T", "places": "2-4", "more": None},
    ),
    "the first step": (
        changed(np.s_[:, 0]),
        "along",
        {"output": "y", "axis": "T", "places": "0", "more": None},
    ),
    "one feature": (
        changed(np.s_[..., 3], 1e-4),
        "along",
        {"output": "y", "axis": "H", "places": "3", "more": None},
    ),
    "every other step": (
        changed(np.s_[:, ::2]),
        "along",
        {"output": "y", "axis": "T", "places": "0, 2, 4", "more": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SEEN)
def test_what_can_be_seen_is_said(what: str) -> None:
    got, code, facts = SEEN[what]
    found, told = said(located(got))
    assert (found, told.keys()) == (code, facts.keys())
    for name, value in facts.items():
        assert told[name] == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "got",
    [
        RIGHT**3,
        np.zeros_like(RIGHT),
        np.full_like(RIGHT, np.nan),
        RIGHT[:, :3],
        RIGHT[..., None],
        RIGHT * (1 + 3e-7),
        "text",
        None,
        (RIGHT,) * 2,
    ],
    ids=str,
)
def test_where_nothing_holds_nothing_is_said(got: Any) -> None:
    assert located(got) is None


def test_one_number_is_always_a_multiple_of_another_and_says_nothing() -> None:
    for right in (np.full((1, 1), 3.0), np.array([0.0, 0.0, 3.0])):
        setting = a_setting(right, "A, B" if right.ndim == 2 else "A")
        found = located(right * 2, setting)
        assert found is None or found.code == "locate.along"


def test_a_square_that_is_turned_is_told_by_number_where_names_are_the_same() -> None:
    right = np.random.RandomState(1).standard_normal((2, 3, 3))
    setting = a_setting(right, "B, T, T")
    assert said(located(right.swapaxes(1, 2), setting)) == (
        "transposed",
        {"output": "y", "axes": ["0", "2", "1"]},
    )


def test_without_names_axes_are_numbers_and_outputs_plain() -> None:
    setting = a_setting(RIGHT, "")
    assert said(located(changed(np.s_[:, 1]), setting)) == (
        "along",
        {"output": "output", "axis": "1", "places": "1", "more": None},
    )


def test_of_many_places_the_first_are_listed_and_the_rest_counted() -> None:
    right = np.random.RandomState(2).standard_normal((2, 40))
    got = right.copy()
    got[:, [0, 1, 2, 7, 11, 13, 20, 30]] += 1
    _, facts = said(located(got, a_setting(right, "B, T")))
    assert (facts["places"], facts["more"]) == ("0-2, 7, 11, 13", 2)
    for language, text in (("en", "0-2, 7, 11, 13 and 2 more"), ("ko", "0-2, 7, 11, 13 외 2곳")):
        assert text in say("locate.along", facts, language)


def test_the_second_output_is_named_where_the_first_is_right() -> None:
    case = a_case({"x": "normal(B)"}, {"B": 3}, {"y": "B", "state": "B"})
    setting = prepared(case, lambda x: (x, 2 * x))
    x = setting.base.calls[0].args["x"]
    assert said(located((x, 5 * x), setting))[1] == {"output": "state", "factor": 2.5}


def test_a_public_case_comes_first_and_a_hidden_one_is_kept_as_such() -> None:
    public, hidden = a_setting(show="public"), a_setting()
    hidden = replace(hidden, case=replace(hidden.case, id="dark"))
    settings_ = {"dark": hidden, "drawn": public}
    trials = tuple(
        replace(each.base, case=name, variant="base") for name, each in settings_.items()
    )

    def asked(**got: Array) -> Diagnosis | None:
        came = {
            (name, "base"): RawOutput(outcome=Outcome.OK, leaves=(leaves(array),))
            for name, array in got.items()
        }
        return localise("Entry", trials, settings_, came)

    both = asked(dark=RIGHT * 2, drawn=RIGHT * 3)
    assert both is not None and (both.hidden, round(both.facts["factor"])) == (False, 3)
    only = asked(dark=RIGHT * 2, drawn=RIGHT)
    assert only is not None and only.hidden
    assert asked(dark=RIGHT * 2) is not None
    assert asked(drawn=RIGHT, dark=RIGHT) is None


# -- gradients --------------------------------------------------------------------------------


class Line(Entry):
    parameters = (parameter("w", 4), parameter("b", 4))

    def __call__(self, x: Array) -> Array:
        return x * self.weights["w"] + self.weights["b"]

    def gradients(self, cotangents: tuple[Array, ...], **given_: Array) -> dict[str, Any]:
        (c,) = cotangents
        x = given_["x"]
        return {"x": c * self.weights["w"], "w": (c * x).sum(0), "b": c.sum(0)}


class Detached(Line):
    def gradients(self, cotangents: tuple[Array, ...], **given_: Array) -> dict[str, Any]:
        return {**super().gradients(cotangents, **given_), "w": None}


class AllWrong(Line):
    def gradients(self, cotangents: tuple[Array, ...], **given_: Array) -> dict[str, Any]:
        return {name: 2 * each for name, each in super().gradients(cotangents, **given_).items()}


class WrongThroughout(Detached):
    def __call__(self, x: Array) -> Array:
        return super().__call__(x=x) ** 3


def of_class(student: type[Entry]) -> Diagnosis | None:
    setting = prepared(a_case({"x": "normal(B, 4)"}, {"B": 3}, {"y": "B, 4"}), Line)
    (backward,) = gradient_trials(setting, {})
    backward = replace(backward, variant="gradient{} gradients")
    came = {("drawn", t.variant): answer(student, t) for t in (setting.base, backward)}
    return localise("Entry", (setting.base, backward), {"drawn": setting}, came)


def test_wrong_gradients_of_right_values_are_told_from_the_right_ones() -> None:
    assert said(of_class(Detached)) == ("gradient", {"wrong": ["w"], "fine": ["x", "b"]})


@pytest.mark.parametrize("student", [Line, AllWrong, WrongThroughout])
def test_of_gradients_nothing_is_said_without_a_right_one_or_of_wrong_values(
    student: type[Entry],
) -> None:
    assert of_class(student) is None


# -- for anything at all ----------------------------------------------------------------------


@given(st.integers(0, 2**31 - 1), st.sampled_from(range(len(DESCRIPTIONS))))
def test_a_description_of_what_is_right_or_unrelated_says_nothing_false(
    seed: int, index: int
) -> None:
    describe, setting = DESCRIPTIONS[index], a_setting()
    unrelated = np.random.RandomState(seed).standard_normal(RIGHT.shape)
    assert describe(setting, unrelated, RIGHT, ("B", "T", "H")) is None
