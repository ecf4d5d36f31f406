"""What checks share: is it close, and did it run?"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy_entries import a_case, answer, findings, leaves, prepared

from grader.checks import CHECKS
from grader.checks.base import (
    Mismatch,
    alike,
    axes_of,
    heatmap,
    mismatch,
    named,
    not_run,
    same_form,
    values,
    values_right,
)
from grader.reports.messages import catalogue
from grader.types import CheckUse, Outcome, RawOutput, StudentError, Tolerance, Verdict

TOLERANCE = Tolerance(rtol=1e-7, atol=1e-9)
QUICK = settings(deadline=None, max_examples=200)
FLOATS = st.floats(width=64)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = hnp.arrays(np.float64, SHAPES, elements=FLOATS)


def differ(got: Any, expected: Any, tolerance: Tolerance = TOLERANCE) -> Mismatch | None:
    return mismatch(np.asarray(got), np.asarray(expected), tolerance)


# -- mismatch ---------------------------------------------------------------------------------


@QUICK
@given(ARRAYS)
def test_an_array_is_close_to_itself_whatever_it_holds(array: Any) -> None:
    assert differ(array, array.copy()) is None


@QUICK
@given(st.data())
def test_a_mismatch_names_the_furthest_element(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    got, expected = (data.draw(hnp.arrays(np.float64, shape, elements=FLOATS)) for _ in range(2))
    found = differ(got, expected)
    if found is None:
        with np.errstate(over="ignore"):
            assert np.allclose(got, expected, rtol=1e-7, atol=1e-9, equal_nan=True)
        return
    assert 1 <= found.wrong <= found.total == got.size
    assert len(found.at) == got.ndim
    np.testing.assert_array_equal(found.got, got[found.at])
    np.testing.assert_array_equal(found.expected, expected[found.at])
    assert not abs(found.got - found.expected) <= found.allowed
    assert math.isfinite(found.allowed) or math.isnan(found.allowed)


@QUICK
@given(st.data())
def test_far_apart_one_way_is_far_apart_the_other(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    numbers = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
    left, right = (data.draw(hnp.arrays(np.float64, shape, elements=numbers)) for _ in range(2))
    absolute = Tolerance(rtol=0.0, atol=1e-3)
    there, back = differ(left, right, absolute), differ(right, left, absolute)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert (there.wrong, there.at) == (back.wrong, back.at)
        assert there.worst == back.worst or (math.isnan(there.worst) and math.isnan(back.worst))


@pytest.mark.parametrize("expected", [0.0, 1.0, -250.0])
def test_just_inside_the_tolerance_passes_and_just_outside_fails(expected: float) -> None:
    allowed = 1e-9 + 1e-7 * abs(expected)
    for sign in (1, -1):
        assert differ(expected + sign * 0.999 * allowed, expected) is None
        found = differ(expected + sign * 1.001 * allowed, expected)
        assert found is not None and found.allowed == pytest.approx(allowed)


def test_the_tolerance_is_relative_to_what_was_expected() -> None:
    half = Tolerance(rtol=0.5, atol=0.0)
    assert differ(1.0, 2.0, half) is None
    assert differ(2.0, 1.0, half) is not None


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (math.nan, 1.0),
        (1.0, math.nan),
        (math.inf, -math.inf),
        (math.inf, 1e308),
        (math.nan, math.inf),
        (-1.7e308, 1.7e308),
    ],
)
def test_no_number_is_close_only_to_itself_and_nothing_warns(got: float, expected: float) -> None:
    assert differ(got, got) is None and differ(expected, expected) is None
    found = differ([0.0, got], [0.0, expected])
    assert found is not None and (found.wrong, found.at) == (1, (1,))


def test_nothing_is_allowed_around_infinity() -> None:
    found = differ(5.0, math.inf)
    assert found is not None and found.allowed == 1e-9


def test_scalars_and_empty_arrays_and_bools() -> None:
    found = differ(1.0, 2.0)
    assert found is not None and (found.at, found.total) == ((), 1)
    assert found.facts()["at"] == []
    assert differ(np.zeros((0, 3)), np.ones((0, 3))) is None
    assert differ(np.zeros(0, dtype=bool), np.ones(0, dtype=bool)) is None
    assert differ([True, False], [True, False]) is None
    found = differ([True, False], [True, True])
    assert found is not None and (found.got, found.expected, found.worst) == (0.0, 1.0, 1.0)
    assert differ([1, 0], [True, False]) is None
    assert differ(np.bool_(True), np.bool_(False)) is not None
    assert differ([3, 4], [3, 5]) is not None and differ([3, 4], [3.0, 4.0]) is None


# -- form -------------------------------------------------------------------------------------

CASE = a_case({"x": "normal(B, D)"}, {"B": 2, "D": 3}, {"y": "B, D", "total": ""})


def right(x: Any) -> Any:
    return 2 * x, float(x.sum())


@pytest.mark.parametrize(
    ("student", "form", "whole"),
    [
        (right, True, True),
        (lambda x: (2 * x, np.asarray(x.sum())), True, True),
        (lambda x: (2 * x + 1e-10, float(x.sum())), True, True),
        (lambda x: (2 * x + 1e-6, float(x.sum())), True, False),
        (lambda x: (2 * x, float("nan")), True, False),
        (lambda x: (2 * x[0], float(x.sum())), False, False),
        (lambda x: 2 * x, False, False),
        (lambda x: ((2 * x, float(x.sum())),), False, False),
        (lambda x: (2 * x, None), False, False),
    ],
)
def test_form_and_values_are_two_questions(student: Any, form: bool, whole: bool) -> None:
    ready = prepared(CASE, right)
    output = answer(student, ready.base)
    assert (same_form(ready, output), values_right(ready, output)) == (form, whole)


def test_every_call_has_to_be_right() -> None:
    ready = prepared(a_case(CASE.args, CASE.sizes, CASE.returns, calls=2), right)
    output = answer(right, ready.base)
    first, second = output.leaves
    assert values_right(ready, output)
    assert not values_right(ready, RawOutput(outcome=Outcome.OK, leaves=(first,)))
    assert not values_right(ready, RawOutput(outcome=Outcome.OK, leaves=(first, first)))
    assert not values_right(ready, RawOutput(outcome=Outcome.RAISED, leaves=(first, second)))


def test_text_has_to_be_right_too() -> None:
    ready = prepared(a_case({"x": "normal(B)"}, {"B": 2}, {"y": ""}), lambda x: "yes")
    assert values_right(ready, answer(lambda x: "yes", ready.base))
    assert not values_right(ready, answer(lambda x: "no", ready.base))


def test_alike_means_the_same_places_and_kinds() -> None:
    one = np.ones(2)
    assert alike(leaves((one, 1.0)), leaves((np.zeros(5), one)))
    assert not alike(leaves((one, None)), leaves((one, one)))
    assert not alike(leaves((one, None)), leaves((one, "text")))
    assert not alike(leaves((one,)), leaves(one))
    assert not alike(leaves(()), leaves(one))


def test_outputs_are_called_as_the_rubric_calls_them() -> None:
    ready = prepared(CASE, right)
    more = leaves((np.ones(1), 1.0, np.ones(1)))
    assert [name for name, _ in named(ready, more)] == ["y", "total", "output[2]"]
    assert [axes_of(ready, index) for index in range(3)] == [("B", "D"), (), ()]
    plain = prepared(a_case({"x": "normal(B)"}, {"B": 2}, {}), lambda x: x)
    assert [name for name, _ in named(plain, leaves(np.ones(1)))] == ["output"]
    assert values(RawOutput(outcome=Outcome.OK)) == []


# -- how a trial ended ------------------------------------------------------------------------

ERROR = StudentError(type="ValueError", message="no", line=7)
NOT_WRITTEN = StudentError(type="NotImplementedError", message="", line=4)
ENDINGS = {
    "outcome.raised": RawOutput(outcome=Outcome.RAISED, error=ERROR),
    "outcome.not_written": RawOutput(outcome=Outcome.RAISED, error=NOT_WRITTEN),
    "load.missing_module": RawOutput(
        outcome=Outcome.RAISED, error=ERROR, facts={"module": "wandb"}
    ),
    "outcome.signature": RawOutput(outcome=Outcome.RAISED, facts={"message": "too many"}),
    "outcome.missing": RawOutput(outcome=Outcome.MISSING),
    "outcome.timeout": RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": 2.0}),
    "outcome.memory": RawOutput(outcome=Outcome.MEMORY, facts={"megabytes": 512}),
    "outcome.died": RawOutput(outcome=Outcome.DIED, facts={"signal": "SIGSEGV"}),
    "outcome.flood": RawOutput(outcome=Outcome.FLOOD, facts={"megabytes": 10}),
    "outcome.skipped": RawOutput(outcome=Outcome.SKIPPED),
    "outcome.unreadable": RawOutput(outcome=Outcome.UNREADABLE, facts={"reason": "too large"}),
    "outcome.mismatch_missing": RawOutput(outcome=Outcome.MISMATCH, facts={"missing": ["W"]}),
    "outcome.mismatch_unexpected": RawOutput(
        outcome=Outcome.MISMATCH, facts={"missing": [], "unexpected": ["U"]}
    ),
    "outcome.mismatch_shape": RawOutput(
        outcome=Outcome.MISMATCH,
        facts={"missing": [], "unexpected": [], "misshapen": [["W", [2], [3]]]},
    ),
}


@pytest.mark.parametrize("code", ENDINGS)
def test_every_way_to_end_has_its_own_message(code: str) -> None:
    found = not_run(prepared(CASE, right), "close", ENDINGS[code])
    assert found is not None
    assert (found.verdict, found.code, found.check) == (Verdict.ERROR, code, "close")
    assert code in catalogue()
    assert found.facts.get("entry", "Entry") == "Entry"


def test_a_line_in_the_students_code_travels_with_the_error() -> None:
    found = not_run(prepared(CASE, right), "close", ENDINGS["outcome.raised"])
    assert found is not None
    assert dict(found.facts) == {"entry": "Entry", "type": "ValueError", "message": "no", "line": 7}


def test_what_ran_well_is_no_finding_and_what_is_lost_is_our_fault() -> None:
    ready = prepared(CASE, right)
    assert not_run(ready, "close", RawOutput(outcome=Outcome.OK)) is None
    broken = RawOutput(outcome=Outcome.BROKEN, facts={"reason": "no zygote"})
    for output, reason in ((None, ""), (broken, "no zygote")):
        found = not_run(ready, "close", output)
        assert found is not None
        assert (found.verdict, found.code) == (Verdict.BROKEN, "outcome.broken")
        assert found.facts == {"reason": reason}


@pytest.mark.parametrize("check", sorted(CHECKS))
@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.BROKEN])
def test_no_check_passes_or_fails_on_nothing(check: str, outcome: Outcome) -> None:
    case = a_case(
        {"x": "normal(B, T)", "m": "random_mask(B, 1, T)"}, {"B": 2, "T": 3}, {"y": "B, T"}
    )
    given_options = {"axis": "T", "arg": "m", "keys": "T", "queries": "T", "cut": 1, "state": {}}
    options = {name: given_options[name] for name in CHECKS[check].requires}
    (found,) = findings(
        prepared(case, lambda x, m: x),
        lambda x, m: x,
        CheckUse(name=check, options=options),
        edit=lambda name, output: RawOutput(outcome=outcome),
    )
    assert found.verdict is (Verdict.ERROR if outcome is Outcome.TIMEOUT else Verdict.BROKEN)


# -- several checks of one criterion ----------------------------------------------------------


def test_one_trial_that_gave_nothing_is_told_once() -> None:
    uses = [CheckUse(name=name) for name in ("shape", "dtype", "close")]
    found = findings(prepared(CASE, right), lambda x: 1 // 0, *uses)
    assert [each.code for each in found] == ["outcome.raised"]
    assert len(findings(prepared(CASE, right), right, *uses)) == 3


def test_one_check_with_two_options_is_two_questions() -> None:
    case = a_case(
        {"x": "normal(B, T, S)"}, {"B": 2, "T": 3, "S": 4}, {"y": "B, T, S"}, show="public"
    )
    uses = [CheckUse(name="alone", options={"axis": axis}) for axis in ("T", "S")]
    ready = prepared(case, lambda x: x - x.mean(1, keepdims=True))
    found = findings(ready, lambda x: x - x.mean(1, keepdims=True), *uses)
    assert [(each.verdict, each.code) for each in found] == [
        (Verdict.FAIL, "alone.differs"),
        (Verdict.PASS, ""),
    ]
    assert found[0].facts["axis"] == "T"
    assert not found[0].hidden


def test_a_relation_that_waits_is_not_said_beside_the_values_that_are_wrong() -> None:
    uses = [CheckUse(name="close"), CheckUse(name="batch")]
    case = a_case({"x": "normal(B, T)"}, {"B": 2, "T": 3}, {"y": "B, T"})
    found = findings(prepared(case, lambda x: 2 * x), lambda x: x + 1, *uses)
    assert [each.code for each in found] == ["close.mismatch"]


def test_a_picture_shows_the_first_matrix_of_what_can_be_drawn() -> None:
    picture = heatmap("y", "picture.got", np.arange(12).reshape(2, 2, 3))
    assert picture is not None and picture.values == ((0.0, 1.0, 2.0), (3.0, 4.0, 5.0))
    for shape in [(), (3,), (1, 3), (3, 1), (65, 3)]:
        assert heatmap("y", "picture.got", np.zeros(shape)) is None
