"""Which position moves which, shown on right and wrong code of a few lines."""

from typing import Any

import numpy as np
import pytest
from numpy_entries import Student, a_case, examine, findings, prepared

from grader.errors import CourseError
from grader.types import Case, CheckUse, Verdict

SEQUENCE = a_case({"x": "normal(B, T, D)"}, {"B": 2, "T": 4, "D": 3}, {"y": "B, T, D"})


def running(x: Any) -> Any:
    """The sum of all positions up to each."""
    return np.cumsum(x, 1)


def one_ahead(x: Any) -> Any:
    return np.cumsum(x, 1) + np.concatenate([x[:, 1:], np.zeros_like(x[:, :1])], 1)


def causal(student: Student, case: Case = SEQUENCE, reference: Student = running, **options: Any):
    return examine(case, "causal", reference, student, **{"axis": "T", **options})


def test_a_running_sum_looks_only_back() -> None:
    assert causal(running).verdict is Verdict.PASS


def test_a_leak_by_one_position_is_seen_where_it_happens() -> None:
    found = causal(one_ahead)
    assert (found.verdict, found.code) == (Verdict.FAIL, "causal.leak")
    assert (found.facts["changed"], found.facts["moved"], found.facts["item"]) == (1, 0, 0)
    assert found.facts["output"] == "y" and found.facts["axis"] == "T"
    assert found.facts["by"] > 0.01


def test_a_leak_in_one_item_of_the_batch_is_seen() -> None:
    def large_items(x: Any) -> Any:
        large = (x[:, :1] > np.median(x[:, 0, 0])).any(axis=(1, 2))
        return np.where(large[:, None, None], one_ahead(x), running(x))

    assert causal(large_items).code == "causal.leak"


def test_positions_that_do_not_see_the_past_are_blind() -> None:
    found = causal(lambda x: x)
    assert (found.verdict, found.code) == (Verdict.FAIL, "causal.blind")
    assert (found.facts["changed"], found.facts["still"]) == (0, 1)


def test_a_causal_entry_with_wrong_values_is_blocked() -> None:
    found = causal(lambda x: 3 * running(x))
    assert (found.verdict, found.code) == (Verdict.BLOCKED, "relation.needs_values")


def test_a_causal_entry_of_another_shape_is_blocked() -> None:
    assert causal(lambda x: running(x)[:, :, :2]).verdict is Verdict.BLOCKED


def test_a_leak_counts_even_where_the_values_are_wrong() -> None:
    assert causal(lambda x: 3 * one_ahead(x)).code == "causal.leak"


def test_a_change_to_nan_at_an_earlier_position_is_a_leak() -> None:
    seen: list[Any] = []

    def poisoned(x: Any) -> Any:
        seen.append(x)
        y = running(x)
        copies = np.tile(seen[0], (len(x) // len(seen[0]), 1, 1))
        y[(x[:, 3] != copies[:, 3]).any(axis=1), 0] = np.nan
        return y

    found = causal(poisoned)
    assert found.code == "causal.leak"
    assert (found.facts["changed"], found.facts["moved"]) == (3, 0)


def test_infinities_that_stay_where_they_are_do_not_move() -> None:
    def with_infinity(x: Any) -> Any:
        y = running(x)
        y[..., 0] = -np.inf
        return y

    assert causal(with_infinity, reference=with_infinity).verdict is Verdict.PASS


def test_time_may_come_before_the_batch() -> None:
    case = a_case({"x": "normal(T, B, D)"}, {"B": 2, "T": 4, "D": 3}, {"y": "T, B, D"})

    def right(x: Any) -> Any:
        return np.cumsum(x, 0)

    def leaking(x: Any) -> Any:
        return right(x) + np.concatenate([x[1:], np.zeros_like(x[:1])])

    assert causal(right, case, right).verdict is Verdict.PASS
    found = causal(leaking, case, right)
    assert (found.facts["changed"], found.facts["moved"]) == (1, 0)


def test_the_batch_may_stand_between_other_axes() -> None:
    case = a_case({"x": "normal(B, T, D)"}, {"B": 2, "T": 4, "D": 3}, {"y": "D, B, T"})

    def right(x: Any) -> Any:
        return np.moveaxis(running(x), -1, 0)

    def second_item(x: Any) -> Any:
        leak = np.where(x[:, :1, :1] == x[1, 0, 0], 1.0, 0.0)
        return np.moveaxis(running(x) + leak * one_ahead(x), -1, 0)

    assert causal(right, case, right).verdict is Verdict.PASS
    assert causal(second_item, case, right).facts["item"] == 1


TOKENS = a_case(
    {"x": "tokens(B, T; low=3, high=7, first=3, pad=2)"}, {"B": 3, "T": 5}, {"y": "B, T"}
)
VALUES = np.array([0.0, 0.0, 0.0, 1.0, 2.5, -0.7, 4.1])


def test_padding_moves_nothing_and_is_not_blamed_for_it() -> None:
    def right(x: Any) -> Any:
        return np.cumsum(VALUES[x], 1)

    assert causal(right, TOKENS, right).verdict is Verdict.PASS
    assert causal(lambda x: right(x) + VALUES[x].sum(), TOKENS, right).code == "causal.leak"
    assert causal(lambda x: VALUES[x], TOKENS, right).code == "causal.blind"


def test_padding_stays_padding_so_that_lengths_do() -> None:
    def mean(x: Any) -> Any:
        return np.cumsum(VALUES[x], 1) / (x != 2).sum(1, keepdims=True)

    assert causal(mean, TOKENS, mean).verdict is Verdict.PASS


def test_only_the_arguments_named_are_changed() -> None:
    case = a_case(
        {"x": "normal(B, T, D)", "bias": "normal(B, T, D)"},
        {"B": 2, "T": 4, "D": 3},
        {"y": "B, T, D"},
    )

    def right(x: Any, bias: Any) -> Any:
        return running(x) + bias.sum(1, keepdims=True)

    assert causal(right, case, right).code == "causal.leak"
    assert causal(right, case, right, vary=["x"]).verdict is Verdict.PASS


def test_only_the_outputs_named_are_looked_at() -> None:
    returns = {"y": "B, T, D", "z": "B, T, D"}
    case = a_case({"x": "normal(B, T, D)"}, {"B": 2, "T": 4, "D": 3}, returns)

    def right(x: Any) -> Any:
        return running(x), one_ahead(x)

    assert causal(right, case, right).verdict is Verdict.PASS
    assert causal(right, case, right, outputs=["z"]).facts["output"] == "z"


@pytest.mark.parametrize("check", ["causal", "mask"])
def test_a_variant_that_raises_is_an_error_and_one_that_is_missing_our_fault(check: str) -> None:
    options = {"axis": "T"} if check == "causal" else {"arg": "m", "keys": "T", "queries": "T"}
    case = a_case(
        {"x": "normal(B, T, D)", "m": "causal(T, T)"}, {"B": 2, "T": 4, "D": 3}, {"y": "B, T, D"}
    )
    calls: list[int] = []

    def right(x: Any, m: Any) -> Any:
        return running(x)

    def raises_later(x: Any, m: Any) -> Any:
        calls.append(1)
        return running(x) if len(calls) < 2 else 1 // 0

    use = CheckUse(name=check, options=options)
    (found,) = findings(prepared(case, right), raises_later, use)
    assert (found.verdict, found.code) == (Verdict.ERROR, "outcome.raised")
    ready = prepared(case, right)
    (found,) = findings(ready, right, use, edit=lambda name, out: out if name == "base" else None)
    assert found.verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "the option 'axis', got none"),
        ({"axis": "S"}, "'S'"),
        ({"axis": "T", "output": ["y"]}, "an option among axis, outputs, vary, got 'output'"),
        ({"axis": "T", "outputs": ["z"]}, "an output among y, got 'z'"),
        ({"axis": "T", "vary": ["z"]}, "arguments with the axis 'T'"),
    ],
)
def test_an_option_that_makes_no_sense_is_the_authors_fault(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(CourseError, match="drawn") as raised:
        findings(prepared(SEQUENCE, running), running, CheckUse(name="causal", options=options))
    assert said in str(raised.value)


def test_an_output_without_the_axis_is_refused_rather_than_passed() -> None:
    case = a_case({"x": "normal(B, T, D)"}, {"B": 2, "T": 4, "D": 3}, {"y": "B, D"})

    def total(x: Any) -> Any:
        return x.sum(1)

    with pytest.raises(CourseError, match="an output with the axis 'T'"):
        causal(total, case, total)


# -- masks ------------------------------------------------------------------------------------

SHAPES = {
    "random_mask(B, L_q, L_k)": lambda m: m,
    "random_mask(B, H, L_q, L_k)": lambda m: m.any(1),
    "random_mask(L_q, L_k)": lambda m: m[None],
    "padding(B, L_k)": lambda m: m[:, None],
    "padding(B, 1, 1, L_k)": lambda m: m[:, 0],
    "causal_padding(B, 1, L_q, L_k)": lambda m: m[:, 0],
}


def attending(text: str, change: Any = lambda keep: keep, scale: float = 1.0) -> Student:
    """Attention in NumPy that reads a mask of some form, then changes it."""

    def attention(q: Any, k: Any, v: Any, mask: Any) -> Any:
        keep = change(np.broadcast_to(SHAPES[text](mask), (len(q), q.shape[1], k.shape[1])))
        scores = np.where(keep, np.exp(scale * q @ np.swapaxes(k, 1, 2)), 0.0)
        return scores / np.maximum(scores.sum(-1, keepdims=True), 1e-30) @ v

    return attention


def masked(text: str) -> Case:
    args = {"q": "normal(B, L_q, D)", "k": "normal(B, L_k, D)", "v": "normal(B, L_k, D)"}
    sizes = {"B": 2, "L_q": 3, "L_k": 5, "D": 4, "H": 2}
    return a_case({**args, "mask": text}, sizes, {"y": "B, L_q, D"})


def check_mask(text: str, student: Student):
    options = {"arg": "mask", "keys": "L_k", "queries": "L_q"}
    return examine(masked(text), "mask", attending(text), student, **options)


@pytest.mark.parametrize("text", SHAPES)
def test_attention_sees_what_a_mask_of_any_form_allows(text: str) -> None:
    assert check_mask(text, attending(text)).verdict is Verdict.PASS


@pytest.mark.parametrize("text", SHAPES)
def test_attention_that_ignores_its_mask_leaks(text: str) -> None:
    found = check_mask(text, attending(text, lambda keep: np.ones_like(keep)))
    assert (found.verdict, found.code) == (Verdict.FAIL, "mask.leak")
    assert found.facts["output"] == "y" and found.facts["axis"] == "L_q"


@pytest.mark.parametrize("text", SHAPES)
def test_attention_that_sees_less_than_it_may_is_blind(text: str) -> None:
    def first_only(keep: Any) -> Any:
        return keep & (np.cumsum(keep, -1) == 1)

    found = check_mask(text, attending(text, first_only))
    assert (found.verdict, found.code) == (Verdict.FAIL, "mask.blind")


@pytest.mark.parametrize("text", SHAPES)
def test_attention_that_turns_its_mask_around_leaks(text: str) -> None:
    assert check_mask(text, attending(text, lambda keep: ~keep)).verdict is Verdict.FAIL


def test_masked_attention_with_wrong_values_is_blocked() -> None:
    text = "random_mask(B, L_q, L_k)"
    assert check_mask(text, attending(text, scale=0.5)).verdict is Verdict.BLOCKED


def test_a_mask_taken_from_the_first_item_for_all_leaks_or_is_blind() -> None:
    text = "random_mask(B, L_q, L_k)"
    found = check_mask(text, attending(text, lambda keep: np.broadcast_to(keep[:1], keep.shape)))
    assert found.verdict is Verdict.FAIL and found.facts["item"] == 1


def test_an_argument_that_is_no_mask_is_refused() -> None:
    text = "random_mask(B, L_q, L_k)"
    options = {"arg": "maks", "keys": "L_k", "queries": "L_q"}
    with pytest.raises(CourseError, match="expected a mask argument, got 'maks'"):
        examine(masked(text), "mask", attending(text), attending(text), **options)
