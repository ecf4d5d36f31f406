"""Answers, shortened: the same but for rounding agrees, anything else is seen."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray
from numpy_entries import leaves

from grader.fingerprints import (
    MOST_PROJECTED,
    Fingerprint,
    FingerprintFile,
    fingerprint,
    fingerprints,
    restored,
    stored,
)
from grader.types import Leaf, Outcome, RawOutput, Trial

Array = NDArray[np.float64]
NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-4)
ARRAYS = arrays_of.arrays(
    np.float64,
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=5),
    elements=NUMBERS,
)


def ok(*arrays: Array, **more: object) -> RawOutput:
    returned = arrays[0] if len(arrays) == 1 else tuple(arrays)
    return RawOutput(outcome=Outcome.OK, leaves=(leaves(returned),), **more)  # type: ignore[arg-type]


def agree(left: RawOutput, right: RawOutput) -> bool:
    one, other = fingerprint(left), fingerprint(right)
    assert one.agrees(other) == other.agrees(one)
    return one.agrees(other)


# -- what agrees ------------------------------------------------------------------------------


@given(ARRAYS, st.integers(0, 2**31 - 1))
def test_an_answer_agrees_with_itself_after_rounding(array: Array, seed: int) -> None:
    noise = np.random.RandomState(seed).uniform(-1, 1, array.shape)
    assert agree(ok(array), ok(array * (1 + 1e-12 * noise) + 1e-14 * noise))


@pytest.mark.parametrize("huge", [1e150, 1e200, 1e308, np.inf, -np.inf, np.nan])
def test_what_is_huge_or_no_number_agrees_with_itself(huge: float) -> None:
    assert agree(ok(np.array([1.0, huge])), ok(np.array([1.0, huge])))


def test_an_empty_answer_agrees_with_itself() -> None:
    for output in (RawOutput(outcome=Outcome.OK), ok(np.zeros((0, 3)))):
        assert agree(output, output)


def test_a_tensor_an_array_and_a_number_are_the_same_thing() -> None:
    given_ = [Leaf(path="", kind=kind, array=np.array(2.5)) for kind in ("tensor", "number")]  # type: ignore[arg-type]
    one, other = (RawOutput(outcome=Outcome.OK, leaves=((leaf,),)) for leaf in given_)
    assert agree(one, other)


def test_what_was_printed_and_used_is_no_part_of_an_answer() -> None:
    output = ok(np.ones(3))
    assert agree(output, replace(output, stdout="loud", used=("torch.add",)))


# -- what is seen -----------------------------------------------------------------------------


@given(ARRAYS, st.data())
def test_a_change_of_any_element_is_seen(array: Array, data: st.DataObject) -> None:
    at = tuple(data.draw(st.integers(0, length - 1)) for length in array.shape)
    changed = array.copy()
    changed[at] += (1e-4 + 1e-3 * abs(array[at])) * data.draw(st.sampled_from([-1, 1]))
    assert not agree(ok(array), ok(changed))


@given(ARRAYS, st.data(), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_no_number_is_seen_wherever_it_stands(
    array: Array, data: st.DataObject, odd: float
) -> None:
    places = [tuple(data.draw(st.integers(0, n - 1)) for n in array.shape) for _ in range(2)]
    first, second = array.copy(), array.copy()
    first[places[0]], second[places[1]] = odd, odd
    assert not agree(ok(array), ok(first))
    assert agree(ok(first), ok(second)) == (places[0] == places[1])
    other = np.nan if np.isinf(odd) else np.inf
    second[places[1]] = array[places[1]]
    second[places[0]] = other
    assert not agree(ok(first), ok(second))


@given(arrays_of.arrays(np.float64, (3, 3), elements=NUMBERS))
def test_a_transposition_is_seen(array: Array) -> None:
    assume(np.abs(array - array.T).max() > 1e-3 * (1e-3 + np.abs(array).max()))
    assert not agree(ok(array), ok(array.T))


@given(ARRAYS)
def test_a_sign_is_seen(array: Array) -> None:
    assume(array.any())
    assert not agree(ok(array), ok(-array))


@given(ARRAYS)
def test_another_shape_is_seen(array: Array) -> None:
    for other in (array[None], array.reshape(*array.shape, 1), np.stack([array, array])):
        assert not agree(ok(array), ok(other))


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.OK])
def test_another_outcome_is_seen(outcome: Outcome) -> None:
    failed = RawOutput(outcome=outcome)
    assert agree(failed, failed)
    assert not agree(failed, ok(np.zeros(2)))
    others = (each for each in Outcome if each is not outcome)
    assert not any(agree(failed, RawOutput(outcome=other)) for other in others)


X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
NONE = Leaf(path="", kind="none")
TELLING: dict[str, tuple[RawOutput, RawOutput]] = {
    "the order of two outputs": (ok(X, Y), ok(Y, X)),
    "two calls for one": (
        RawOutput(outcome=Outcome.OK, leaves=(leaves(X), leaves(Y))),
        RawOutput(outcome=Outcome.OK, leaves=(leaves((X, Y)),)),
    ),
    "nothing for an array": (ok(X), RawOutput(outcome=Outcome.OK, leaves=((NONE,),))),
    "another text": (
        RawOutput(outcome=Outcome.OK, leaves=(leaves("a"),)),
        RawOutput(outcome=Outcome.OK, leaves=(leaves("b"),)),
    ),
    "another gradient": (ok(X, gradients={"w": Y}), ok(X, gradients={"w": X})),
    "a gradient of another name": (ok(X, gradients={"w": Y}), ok(X, gradients={"v": Y})),
    "a gradient that never came": (ok(X, gradients={"w": None}), ok(X, gradients={"w": X * 0})),
    "an argument written to": (ok(X, inputs={"x": X}), ok(X, inputs={"x": Y})),
    "gradients the other way round": (
        ok(X, gradients={"v": X, "w": Y}),
        ok(X, gradients={"v": Y, "w": X}),
    ),
    "True for 2": (ok(np.array([True])), ok(np.array([2]))),
}


@pytest.mark.parametrize("what", TELLING)
def test_what_else_tells_answers_apart(what: str) -> None:
    assert not agree(*TELLING[what])


def test_a_large_value_does_not_hide_a_wrong_one_beside_it() -> None:
    right = np.array([-1e9, 0.25, 0.5])
    assert not agree(ok(right), ok(right + np.array([0, 1e-4, 0])))


def test_a_large_gradient_does_not_hide_a_small_one() -> None:
    large, small = np.full(200, 1e4), np.full(3, 1e-6)
    one, other = ({"a": large, "b": factor * small} for factor in (1, 2))
    assert not agree(ok(X, gradients=one), ok(X, gradients=other))


def test_answers_are_told_apart_as_finely_as_right_ones_are_from_wrong() -> None:
    """The audit asks for ten tolerances: a relative 1e-6 anywhere in an ordinary answer."""
    array = np.random.RandomState(0).standard_normal((8, 16))
    for index in range(array.size):
        changed = array.copy()
        changed.flat[index] *= 1 + 1e-5
        assert not agree(ok(array), ok(changed)), index


def test_more_than_any_reference_answers_is_compared_without_directions() -> None:
    array = np.ones(MOST_PROJECTED + 1)
    made = fingerprint(ok(array))
    assert made.numbers == ()
    assert made.agrees(fingerprint(ok(array)))
    array[-1] = 2
    assert not made.agrees(fingerprint(ok(array)))


def test_the_values_can_not_be_read_from_it() -> None:
    array = np.random.RandomState(1).standard_normal(40)
    made = fingerprint(ok(array))
    assert len(made.numbers) == 5 and len(made.form) == 12
    assert not set(np.round(array, 9)) & set(np.round(made.numbers, 9))


def test_only_trials_that_were_answered_have_one() -> None:
    trials = tuple(Trial(case="c", variant=name, entry="f") for name in ("base", "other"))
    made = fingerprints({("c", "base"): ok(X), ("d", "base"): ok(X)}, trials)
    assert list(made) == [("c", "base")]
    assert made["c", "base"].agrees(fingerprint(ok(X)))


# -- kept -------------------------------------------------------------------------------------

PRINTS = st.dictionaries(
    st.tuples(st.text("ab -", min_size=1), st.text('ab {}":', min_size=1)),
    st.builds(
        Fingerprint,
        form=st.text("0123456789abcdef", min_size=12, max_size=12),
        numbers=st.lists(st.floats(-1e9, 1e9), max_size=5).map(tuple),
    ),
    max_size=4,
)


@given(PRINTS)
def test_storing_and_restoring_keeps_it(prints: dict[tuple[str, str], Fingerprint]) -> None:
    assert restored(stored(prints)) == prints


@settings(max_examples=30)
@given(PRINTS, PRINTS)
def test_a_file_gives_back_what_was_put(
    tmp_path_factory: pytest.TempPathFactory,
    one: dict[tuple[str, str], Fingerprint],
    other: dict[tuple[str, str], Fingerprint],
) -> None:
    path = tmp_path_factory.mktemp("kept") / "deep" / "prints.json"
    file = FingerprintFile(path)
    assert file.get(()) is None
    file.put((), one)
    file.put(("a", "b"), other)
    file.save()
    again = FingerprintFile(path)
    assert (again.get(()), again.get(("a", "b")), again.get(("a",))) == (one, other, None)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "prints.json"
    file = FingerprintFile(path)
    file.put((), {("c", "base"): fingerprint(ok(X))})
    file.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-3],
        lambda content: b"[1]",
        lambda content: b'{"": {"c": 3}}',
        lambda content: content.replace(b"1", b"x"),
        lambda content: b"\xff\x00",
    ],
)
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "prints.json"
    prints = {("c", "base"): Fingerprint(form="1" * 12, numbers=(1.0, 2.0))}
    file = FingerprintFile(path)
    file.put((), prints)
    file.save()
    path.write_bytes(damage(path.read_bytes()))
    again = FingerprintFile(path)
    assert again.get(()) is None
    again.put((), prints)
    again.save()
    assert FingerprintFile(path).get(()) == prints


def test_a_file_that_can_not_be_written_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder has to be")
    taken = tmp_path / "taken.json"
    taken.mkdir()
    for path in (blocked / "prints.json", taken):
        file = FingerprintFile(path)
        file.put((), {("c", "base"): fingerprint(ok(X))})
        file.save()
        assert file.get(()) is not None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["blocked", "taken.json"]
