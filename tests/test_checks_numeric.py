"""The right form, the right values: what each check says about each way to miss them."""

from typing import Any

import numpy as np
import pytest
from numpy_entries import a_case, examine, findings, parameter, prepared

from grader.types import CheckUse, Finding, Parameter, RawOutput, Tolerance, Verdict

SIZES = {"N": 2, "B": 3, "T": 4, "H": 5}
NESTED = a_case(
    {"x": "normal(B, T, H)"},
    SIZES,
    {"output": "B, T, H", "h_n": "N, B, H", "c_n": "N, B, H"},
    show="public",
)


def lstm(x: Any) -> Any:
    return x, (x[:, :2].swapaxes(0, 1), -x[:, :2].swapaxes(0, 1))


def found_by(check: str, student: Any, reference: Any = lstm, **options: Any) -> Finding:
    return examine(NESTED, check, reference, student, **options)


# -- structure and shape ----------------------------------------------------------------------


def test_the_right_structure_passes() -> None:
    assert found_by("shape", lstm).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("student", "drawn"),
    [
        (
            lambda x: (x, x[:, 0], x[:, 1]),
            "(tensor (3, 4, 5), tensor (3, 5), tensor (3, 5))",
        ),
        (lambda x: x, "tensor (3, 4, 5)"),
        (lambda x: (x,), "(tensor (3, 4, 5),)"),
        (lambda x: (x, (x,)), "(tensor (3, 4, 5), (tensor (3, 4, 5),))"),
        (lambda x: (x, (1.5, None)), "(tensor (3, 4, 5), (number, None))"),
        (lambda x: (x, ("a", {})), "(tensor (3, 4, 5), (str, dict))"),
        (lambda x: None, "None"),
        (lambda x: (), "()"),
    ],
)
def test_another_structure_is_drawn_beside_the_right_one(student: Any, drawn: str) -> None:
    found = found_by("shape", student)
    assert (found.verdict, found.code) == (Verdict.FAIL, "shape.structure")
    assert dict(found.facts) == {"expected": "(output, (h_n, c_n))", "got": drawn}


def test_eleven_values_are_drawn_in_their_order() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {})
    found = examine(case, "shape", lambda x: x, lambda x: (x, *range(10)))
    assert found.facts["got"] == f"(tensor (3,), {', '.join(['number'] * 10)})"


def test_none_and_text_and_objects_are_not_alike() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {})
    things = (None, "text", {})
    for wanted in things:
        for given in things:
            found = examine(case, "shape", lambda x, it=wanted: it, lambda x, it=given: it)
            assert (found.verdict is Verdict.PASS) == (wanted is given)


def test_a_wrong_shape_is_told_with_axes() -> None:
    found = found_by("shape", lambda x: (x, (x[:, :2], lstm(x)[1][1])))
    assert (found.verdict, found.code) == (Verdict.FAIL, "shape.mismatch")
    assert found.facts["output"] == "h_n" and found.facts["axes"] == "N, B, H"
    assert (found.facts["expected"], found.facts["got"]) == ([2, 3, 5], [3, 2, 5])


def test_a_number_and_a_tensor_without_axes_are_alike() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {"loss": ""})

    def right(x: Any) -> Any:
        return np.asarray(x.sum())

    for check in ("shape", "dtype", "close"):
        found = examine(case, check, right, lambda x: float(x.sum()))
        assert found.verdict is Verdict.PASS
    found = examine(case, "dtype", lambda x: np.asarray(0.0 * x.sum()), lambda x: 0)
    assert found.verdict is Verdict.PASS


# -- dtype ------------------------------------------------------------------------------------


def test_the_right_dtype_passes_and_a_narrow_one_fails() -> None:
    assert found_by("dtype", lstm).verdict is Verdict.PASS
    found = found_by("dtype", lambda x: (x, (lstm(x)[1][0].astype(np.float32), lstm(x)[1][1])))
    assert (found.verdict, found.code) == (Verdict.FAIL, "dtype.mismatch")
    assert dict(found.facts) == {"output": "h_n", "expected": "float64", "got": "float32"}


def test_a_mask_of_numbers_is_no_mask_of_bools() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {"mask": "B"})
    found = examine(case, "dtype", lambda x: x > 0, lambda x: (x > 0).astype(np.float64))
    assert (found.facts["expected"], found.facts["got"]) == ("bool", "float64")


@pytest.mark.parametrize("check", ["dtype", "finite", "close"])
def test_checks_of_values_say_so_where_the_form_is_wrong(check: str) -> None:
    found = found_by(check, lambda x: x)
    assert (found.verdict, found.code, found.check) == (Verdict.FAIL, "shape.structure", check)
    found = found_by(check, lambda x: (x[:, 1:], lstm(x)[1]))
    assert (found.verdict, found.code, found.check) == (Verdict.FAIL, "shape.mismatch", check)


# -- finite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted_and_placed(bad: float) -> None:
    def poisoned(x: Any) -> Any:
        y = x.copy()
        y[1, 2, 3] = y[2, 0, 0] = bad
        return y, lstm(x)[1]

    found = found_by("finite", poisoned)
    assert (found.verdict, found.code) == (Verdict.FAIL, "finite.not_finite")
    assert dict(found.facts) == {"output": "output", "bad": 2, "total": 60, "at": [1, 2, 3]}


def test_infinity_where_the_reference_has_one_is_fine() -> None:
    def infinite(x: Any) -> Any:
        return np.where(x > 0, x, -np.inf), lstm(x)[1]

    for check in ("finite", "close"):
        assert found_by(check, infinite, infinite).verdict is Verdict.PASS
    assert found_by("close", lstm, infinite).code == "close.mismatch"
    assert found_by("finite", infinite).code == "finite.not_finite"


def test_a_single_number_that_is_nan_has_no_index() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {"loss": ""})
    found = examine(case, "finite", lambda x: float(x.sum()), lambda x: float("nan"))
    assert found.facts["at"] == [] and found.facts["bad"] == 1


# -- close ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "verdict"), [(0.9e-9, Verdict.PASS), (1.3e-9, Verdict.FAIL), (np.nan, Verdict.FAIL)]
)
def test_values_are_held_to_the_tolerance(by: float, verdict: Verdict) -> None:
    def zeros(x: Any) -> Any:
        return 0 * x, lstm(x)[1]

    def near(x: Any) -> Any:
        y = 0 * x
        y[2, 3, 4] = by
        return y, lstm(x)[1]

    found = found_by("close", near, zeros)
    assert found.verdict is verdict
    if verdict is Verdict.FAIL:
        assert found.code == "close.mismatch"
        assert found.facts["at"] == [2, 3, 4] and found.facts["wrong"] == 1


def test_a_rubrics_tolerance_and_a_checks_own_one_are_used() -> None:
    def off(x: Any) -> Any:
        return x * (1 + 1e-3), lstm(x)[1]

    use, loose = CheckUse(name="close"), Tolerance(rtol=1e-2, atol=0.0)
    (found,) = findings(prepared(NESTED, lstm, loose), off, use)
    assert found.verdict is Verdict.PASS
    assert found_by("close", off, rtol=1e-2).verdict is Verdict.PASS
    assert found_by("close", off, rtol=1e-4, atol=1e-4).facts["allowed"] < 1e-2
    assert found_by("close", off).verdict is Verdict.FAIL


def test_only_the_outputs_named_are_compared() -> None:
    def wrong_state(x: Any) -> Any:
        return x, (lstm(x)[1][0] + 1, lstm(x)[1][1])

    assert found_by("close", wrong_state).facts["output"] == "h_n"
    assert found_by("close", wrong_state, over=["output", "c_n"]).verdict is Verdict.PASS


def test_text_is_compared_as_it_is() -> None:
    case = a_case({"x": "normal(B)"}, SIZES, {"said": ""})
    assert examine(case, "close", lambda x: "yes", lambda x: "yes").verdict is Verdict.PASS
    found = examine(case, "close", lambda x: "yes", lambda x: "no")
    assert (found.verdict, found.code) == (Verdict.FAIL, "close.text")
    assert dict(found.facts) == {"output": "said", "expected": "yes", "got": "no"}


def test_the_second_call_is_compared_too() -> None:
    case = a_case(NESTED.args, NESTED.sizes, NESTED.returns, calls=2)
    calls: list[int] = []

    def worse(x: Any) -> Any:
        calls.append(1)
        return x + (len(calls) == 2), lstm(x)[1]

    assert examine(case, "close", lstm, worse).code == "close.mismatch"


def test_pictures_are_drawn_for_public_cases_only() -> None:
    def off(x: Any) -> Any:
        return x + 1, lstm(x)[1]

    pictures = found_by("close", off).pictures
    assert [each.label for each in pictures] == [
        "picture.got",
        "picture.expected",
        "picture.error",
        "picture.positions",
    ]
    assert pictures[2].values[0] == pytest.approx((1.0,) * 5)
    hidden = a_case(NESTED.args, NESTED.sizes, NESTED.returns)
    found = examine(hidden, "close", lstm, off)
    assert found.pictures == () and found.hidden


def test_an_attention_map_is_drawn_beside_what_else_is_wrong() -> None:
    """A map has one and the same axis twice, whatever its entry is given: images, say."""
    returns = {"logits": "B, classes", "map": "B, heads, L, L"}
    case = a_case({"x": "normal(B, C, R, R)"}, {"B": 2, "C": 3, "R": 4}, returns, show="public")
    maps = np.arange(48.0).reshape(2, 6, 2, 2)
    found = examine(case, "close", lambda x: (x[:, 0, 0], maps), lambda x: (x[:, 1, 0], maps + 1))
    assert [(each.name, each.label) for each in found.pictures] == [
        (name, f"picture.{label}")
        for name in ("logits", "map")
        for label in ("got", "expected", "error")
    ]


def test_a_right_attention_map_is_drawn_for_public_cases_only() -> None:
    returns = {"map": "B, heads, L, L"}
    sizes = {"B": 2, "C": 3, "R": 4}
    case = a_case({"x": "normal(B, C, R, R)"}, sizes, returns, show="public")
    maps = np.arange(48.0).reshape(2, 6, 2, 2)
    found = examine(case, "close", lambda x: maps, lambda x: maps)
    assert (found.verdict, found.code) == (Verdict.PASS, "close.map")
    assert [(each.name, each.label) for each in found.pictures] == [("map", "picture.got")]
    hidden = a_case({"x": "normal(B, C, R, R)"}, sizes, returns)
    found = examine(hidden, "close", lambda x: maps, lambda x: maps)
    assert (found.verdict, found.code, found.pictures) == (Verdict.PASS, "", ())


# -- parameters -------------------------------------------------------------------------------


class Layers:
    """Two layers of a stack, described."""

    parameters = (parameter("a.w", 2, 3), parameter("b.w", 2, 3), parameter("b.frozen", 4))

    def __init__(self, trial: Any):
        pass

    def __call__(self, x: Any) -> Any:
        return x

    def gradients(self, cotangents: Any, **arguments: Any) -> dict[str, Any]:
        return {}


def described(*parameters: Parameter) -> Any:
    return type("Described", (Layers,), {"parameters": parameters})


STACK = a_case({"x": "normal(B)"}, SIZES, {"y": "B"})


def parameters_of(student: Any, reference: Any = Layers) -> Finding:
    return examine(STACK, "parameters", reference, student)


def test_distinct_parameters_pass() -> None:
    assert parameters_of(Layers).verdict is Verdict.PASS


def test_a_layer_used_twice_is_named_with_its_twin() -> None:
    twin = parameter("b.w", 2, 3, same_as="a.w")
    found = parameters_of(described(Layers.parameters[0], twin, Layers.parameters[2]))
    assert (found.verdict, found.code) == (Verdict.FAIL, "parameters.shared")
    assert dict(found.facts) == {"name": "b.w", "same_as": "a.w"}


def test_a_missing_and_an_unknown_parameter_are_named() -> None:
    found = parameters_of(described(*Layers.parameters[:2], parameter("c.w", 4)))
    assert found.code == "parameters.names"
    assert dict(found.facts) == {"missing": "b.frozen", "unexpected": "c.w"}
    found = parameters_of(described(*Layers.parameters, parameter("c.w", 4)))
    assert dict(found.facts) == {"missing": "-", "unexpected": "c.w"}


@pytest.mark.parametrize("last", [parameter("b.frozen", 5), parameter("b.frozen", 4, trainable=0)])
def test_another_number_of_trainable_values_is_counted(last: Parameter) -> None:
    found = parameters_of(described(*Layers.parameters[:2], last))
    assert found.code == "parameters.count"
    assert dict(found.facts) == {"expected": 16, "got": 12 + 5 * last.trainable}


def test_sharing_that_the_reference_asks_for_is_kept() -> None:
    tied = described(parameter("a.w", 2, 3), parameter("b.w", 2, 3, same_as="a.w"))
    untied = described(parameter("a.w", 2, 3), parameter("b.w", 2, 3))
    assert parameters_of(tied, tied).verdict is Verdict.PASS
    found = parameters_of(untied, tied)
    assert (found.code, dict(found.facts)) == ("parameters.count", {"expected": 6, "got": 12})


def test_parameters_are_asked_for_without_a_call() -> None:
    def only_described(name: str, output: RawOutput) -> RawOutput | None:
        return None if name == "base" else output

    (found,) = findings(
        prepared(STACK, Layers), Layers, CheckUse(name="parameters"), edit=only_described
    )
    assert found.verdict is Verdict.PASS


def pictured(
    returns: dict[str, str], wrong: dict[str, float], **more: Any
) -> list[tuple[str, str]]:
    """Name and caption of the pictures where the outputs are off by `wrong`."""

    def student(x: Any, m: Any) -> Any:
        y, s, w = x.copy(), x[:, -1].copy(), np.matmul(x, x.swapaxes(1, 2))
        return y + wrong.get("y", 0), s + wrong.get("s", 0), w + wrong.get("w", 0)

    args = {"x": "normal(B, T, D)", "m": "causal(T, T)"}
    case = a_case(args, {"B": 2, "T": 4, "D": 3}, returns, **{"show": "public", **more})
    ready = prepared(case, lambda x, m: (x, x[:, -1], np.matmul(x, x.swapaxes(1, 2))))
    (found,) = findings(ready, student, CheckUse(name="close"))
    return [(each.name, each.label.partition(".")[2]) for each in found.pictures]


RETURNS = {"y": "B, T, D", "s": "B, D", "w": "B, T, T"}


def test_a_wrong_sequence_is_drawn_with_its_error_over_the_positions() -> None:
    assert pictured(RETURNS, {"y": 1.0, "s": 1.0}) == [
        ("y", "got"),
        ("y", "expected"),
        ("y", "error"),
        ("y", "positions"),
    ]


def test_a_wrong_attention_map_is_drawn_even_beside_a_wrong_output() -> None:
    drawn = pictured(RETURNS, {"y": 1.0, "w": 1.0})
    assert [each for each in drawn if each[0] == "w"] == [
        ("w", "got"),
        ("w", "expected"),
        ("w", "error"),
    ]


def test_nothing_of_a_hidden_case_is_drawn() -> None:
    assert pictured(RETURNS, {"y": 1.0, "w": 1.0}, show="hidden") == []
