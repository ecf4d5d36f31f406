"""What must stay the same, shown on right and wrong code of a few lines."""

from typing import Any

import numpy as np
import pytest
from numpy_entries import Student, a_case, examine, findings, prepared

from grader.errors import CourseError
from grader.types import Case, CheckUse, Finding, Verdict

SIZES = {"B": 3, "T": 5, "D": 4}


def verdict_and_code(found: Finding) -> tuple[Verdict, str]:
    return found.verdict, found.code


NEEDS_VALUES = (Verdict.BLOCKED, "relation.needs_values")

# -- padding ----------------------------------------------------------------------------------

MASKED = a_case({"x": "normal(B, T, D)", "mask": "padding(B, T)"}, SIZES, {"y": "B, D"})


def masked_mean(x: Any, mask: Any) -> Any:
    return (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)


def test_a_masked_mean_is_not_moved_by_more_padding() -> None:
    assert examine(MASKED, "padding", masked_mean, masked_mean, axis="T").verdict is Verdict.PASS


def test_a_sum_over_padding_leaks() -> None:
    found = examine(MASKED, "padding", masked_mean, lambda x, mask: x.sum(1), axis="T")
    assert verdict_and_code(found) == (Verdict.FAIL, "padding.leak")
    assert found.facts["output"] == "y" and len(found.facts["at"]) == 2


def test_a_mean_divided_by_the_padded_length_leaks() -> None:
    def wrong(x: Any, mask: Any) -> Any:
        return (x * mask[..., None]).mean(1)

    assert examine(MASKED, "padding", masked_mean, wrong, axis="T").code == "padding.leak"


def test_a_masked_sum_in_place_of_a_mean_is_blocked() -> None:
    def wrong(x: Any, mask: Any) -> Any:
        return (x * mask[..., None]).sum(1)

    found = examine(MASKED, "padding", masked_mean, wrong, axis="T")
    assert verdict_and_code(found) == NEEDS_VALUES


def test_outputs_with_the_axis_are_compared_as_far_as_they_reached() -> None:
    case = a_case({"x": "tokens(B, T; low=3, high=6, pad=0)"}, {"B": 3, "T": 5}, {"y": "B, T"})

    def share(x: Any) -> Any:
        return x / np.where(x == 0, 0, x).sum(1, keepdims=True)

    assert examine(case, "padding", share, share, axis="T").verdict is Verdict.PASS
    found = examine(case, "padding", share, lambda x: x / (x + 1).sum(1)[:, None], axis="T")
    assert found.code == "padding.leak"


def test_nothing_returned_for_a_longer_input_earns_nothing() -> None:
    def gives_up(x: Any, mask: Any) -> Any:
        return masked_mean(x, mask) if x.shape[1] == 5 else None

    found = examine(MASKED, "padding", masked_mean, gives_up, axis="T")
    assert verdict_and_code(found) == NEEDS_VALUES


def test_another_shape_for_a_longer_input_earns_nothing() -> None:
    def cut(x: Any, mask: Any) -> Any:
        return masked_mean(x, mask)[:, : 9 - x.shape[1]]

    found = examine(MASKED, "padding", masked_mean, cut, axis="T")
    assert verdict_and_code(found) == NEEDS_VALUES


def test_padding_wants_tokens_that_can_pad() -> None:
    case = a_case({"x": "tokens(B, T; high=6)"}, {"B": 3, "T": 5}, {"y": "B, T"})
    with pytest.raises(CourseError, match="tokens with a pad"):
        examine(case, "padding", lambda x: x, lambda x: x, axis="T")


@pytest.mark.parametrize("check", ["padding", "permutation", "chunked"])
def test_an_axis_that_no_argument_has_is_refused_rather_than_passed(check: str) -> None:
    options: dict[str, Any] = {"axis": "S"}
    if check == "chunked":
        options |= {"cut": 1, "state": {}}
    with pytest.raises(CourseError, match="'S'"):
        examine(MASKED, check, masked_mean, masked_mean, **options)


# -- one at a time: batch, alone --------------------------------------------------------------

ROWS = a_case({"x": "normal(B, T, D)"}, SIZES, {"y": "B, T, D"})


def doubled(x: Any) -> Any:
    return 2 * x


def test_items_that_stand_alone_pass() -> None:
    assert examine(ROWS, "batch", doubled, doubled).verdict is Verdict.PASS


def test_items_centred_over_the_batch_are_mixed() -> None:
    found = examine(ROWS, "batch", doubled, lambda x: 2 * x - x.mean(0))
    assert verdict_and_code(found) == (Verdict.FAIL, "batch.mixed")
    assert (found.facts["item"], found.facts["axis"]) == (0, "B")


def test_the_second_items_mask_taken_from_the_first_is_mixed() -> None:
    case = a_case({"x": "normal(B, T)", "mask": "random_mask(B, T)"}, SIZES, {"y": "B, T"})

    def right(x: Any, mask: Any) -> Any:
        return np.where(mask, x, 0)

    found = examine(case, "batch", right, lambda x, mask: np.where(mask[0], x, 0))
    assert found.code == "batch.mixed" and found.facts["item"] > 0


def test_items_alone_with_wrong_values_are_blocked() -> None:
    assert verdict_and_code(examine(ROWS, "batch", doubled, lambda x: 3 * x)) == NEEDS_VALUES


def test_an_item_alone_that_loses_its_axis_earns_nothing() -> None:
    def squeezed(x: Any) -> Any:
        return (2 * x).squeeze(0) if len(x) == 1 else 2 * x

    assert verdict_and_code(examine(ROWS, "batch", doubled, squeezed)) == NEEDS_VALUES


def test_nothing_returned_for_one_item_earns_nothing() -> None:
    found = examine(ROWS, "batch", doubled, lambda x: 2 * x if len(x) > 1 else None)
    assert verdict_and_code(found) == NEEDS_VALUES


def test_one_item_that_raises_is_an_error() -> None:
    found = examine(ROWS, "batch", doubled, lambda x: 2 * x if len(x) > 1 else 1 // 0)
    assert verdict_and_code(found) == (Verdict.ERROR, "outcome.raised")


def test_positions_worked_out_alone_pass() -> None:
    assert examine(ROWS, "alone", doubled, doubled, axis="T").verdict is Verdict.PASS


def test_positions_normalised_together_differ_alone() -> None:
    found = examine(ROWS, "alone", doubled, lambda x: 2 * x - x.mean(1, keepdims=True), axis="T")
    assert verdict_and_code(found) == (Verdict.FAIL, "alone.differs")
    assert (found.facts["item"], found.facts["axis"]) == (0, "T")


def test_positions_alone_with_wrong_values_are_blocked() -> None:
    found = examine(ROWS, "alone", doubled, lambda x: x, axis="T")
    assert verdict_and_code(found) == NEEDS_VALUES


# -- order ------------------------------------------------------------------------------------

UNORDERED = a_case(
    {"q": "normal(B, L, D)", "x": "normal(B, T, D)"}, {**SIZES, "L": 2}, {"y": "B, L, D"}
)


def pooled(q: Any, x: Any) -> Any:
    return q + np.tanh(x).sum(1, keepdims=True)


def by_position(q: Any, x: Any) -> Any:
    return q + (np.tanh(x) * np.arange(x.shape[1])[:, None]).sum(1, keepdims=True)


def test_a_sum_over_positions_has_no_order() -> None:
    found = examine(UNORDERED, "permutation", pooled, pooled, axis="T")
    assert found.verdict is Verdict.PASS


def test_a_sum_weighted_by_position_depends_on_the_order() -> None:
    found = examine(UNORDERED, "permutation", pooled, by_position, axis="T", times=4)
    assert verdict_and_code(found) == (Verdict.FAIL, "permutation.invariant")
    assert found.facts["axis"] == "T" and found.facts["by"] > 0.01


def test_a_sum_without_order_but_wrong_is_blocked() -> None:
    found = examine(UNORDERED, "permutation", pooled, lambda q, x: 2 * pooled(q, x), axis="T")
    assert verdict_and_code(found) == NEEDS_VALUES


def test_outputs_with_the_axis_follow_the_order() -> None:
    assert examine(ROWS, "permutation", doubled, doubled, axis="T").verdict is Verdict.PASS
    found = examine(ROWS, "permutation", doubled, lambda x: 2 * np.cumsum(x, 1), axis="T")
    assert verdict_and_code(found) == (Verdict.FAIL, "permutation.equivariant")


def test_a_mask_between_positions_is_reordered_along_both_axes() -> None:
    case = a_case({"x": "normal(T, D)", "mask": "random_mask(T, T)"}, SIZES, {"y": "T, D"})

    def neighbours(x: Any, mask: Any) -> Any:
        return mask @ x

    assert examine(case, "permutation", neighbours, neighbours, axis="T").verdict is Verdict.PASS
    found = examine(case, "permutation", neighbours, lambda x, mask: x + mask @ x[::-1], axis="T")
    assert found.code == "permutation.equivariant"


# -- chunks -----------------------------------------------------------------------------------

STATEFUL = a_case(
    {"x": "normal(B, T, D)", "h": "normal(B, D)"}, SIZES, {"y": "B, T, D", "h_n": "B, D"}
)


def recurrent(decay: float = 0.5, keeps: bool = True) -> Student:
    def run(x: Any, h: Any) -> Any:
        h, outputs = (h if keeps else np.zeros_like(h)), []
        for step in range(x.shape[1]):
            h = np.tanh(decay * h + x[:, step])
            outputs.append(h)
        return np.stack(outputs, 1), h

    return run


def chunked(student: Student, **options: Any) -> Finding:
    options = {"axis": "T", "cut": 2, "state": {"h": 1}, **options}
    return examine(STATEFUL, "chunked", recurrent(), student, **options)


def test_a_sequence_in_two_chunks_gives_what_the_whole_gives() -> None:
    assert chunked(recurrent()).verdict is Verdict.PASS


def test_a_state_that_is_not_carried_is_lost_between_the_chunks() -> None:
    found = chunked(recurrent(keeps=False))
    assert verdict_and_code(found) == (Verdict.FAIL, "chunked.differs")
    assert (found.facts["output"], found.facts["cut"]) == ("y", 2)


def test_a_state_that_is_not_the_last_is_lost_between_the_chunks() -> None:
    def first_state(x: Any, h: Any) -> Any:
        y, _ = recurrent()(x, h)  # type: ignore[operator, call-arg]
        return y, y[:, 0]

    assert chunked(first_state).code == "chunked.differs"


def test_a_carried_state_with_wrong_values_is_blocked() -> None:
    assert verdict_and_code(chunked(recurrent(decay=0.9))) == NEEDS_VALUES


def test_a_second_chunk_that_returns_less_earns_nothing() -> None:
    def shorter(x: Any, h: Any) -> Any:
        y, last = recurrent()(x, h)  # type: ignore[operator, call-arg]
        return (y, last) if x.shape[1] != 3 else (y, None)

    assert verdict_and_code(chunked(shorter)) == NEEDS_VALUES


@pytest.mark.parametrize("cut", [0, 5, 9])
def test_a_cut_outside_the_sequence_is_refused(cut: int) -> None:
    with pytest.raises(CourseError, match="a cut within the axis 'T'"):
        chunked(recurrent(), cut=cut)


@pytest.mark.parametrize(
    ("check", "options"),
    [
        ("padding", {"axis": "T"}),
        ("batch", {}),
        ("alone", {"axis": "T"}),
        ("permutation", {"axis": "T"}),
        ("chunked", {"axis": "T", "cut": 2, "state": {"h": 1}}),
    ],
)
def test_a_trial_without_an_answer_is_our_fault(check: str, options: dict[str, Any]) -> None:
    case: Case = STATEFUL
    ready = prepared(case, recurrent())
    use = CheckUse(name=check, options=options)
    (found,) = findings(ready, recurrent(), use, edit=lambda name, out: _base_only(name, out))
    assert found.verdict is Verdict.BROKEN


def _base_only(name: str, output: Any) -> Any:
    return output if name == "base" else None
