"""Where does an answer differ, when no known mistake explains it?

The most telling description comes first: a constant factor, other axes, another order, only what is
masked, from one position on. Each holds for all that was returned in the case, or is not said.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import axes_of, is_close, named, values_right
from grader.fingerprints import Key
from grader.types import Diagnosis, Facts, Outcome, RawOutput, Setting, Tolerance, Trial

Array = NDArray[np.float64]
Located = tuple[str, Facts]
"""Message code and facts."""

LOOSE = Tolerance(rtol=1e-6, atol=1e-9)
MOST_RUNS = 4
"""Stretches of wrong positions that are listed."""


def localise(
    entry: str,
    trials: tuple[Trial, ...],
    settings: Mapping[str, Setting],
    answers: Mapping[Key, RawOutput],
) -> Diagnosis | None:
    """Where the entry's answers differ, from the first case that says something; public ones first.

    None where nothing more can be said than that they differ.
    """
    cases = dict.fromkeys(trial.case for trial in trials)
    ordered = sorted(cases, key=lambda case: settings[case].case.show == "hidden")
    for case in ordered:
        setting = settings[case]
        output = answers.get((case, "base"))
        if output is None or output.outcome is not Outcome.OK:
            continue
        right = values_right(setting, output)
        located = _gradients(setting, answers) if right else _values(setting, output)
        if located is not None:
            code, facts = located
            return Diagnosis(
                entry=entry,
                kind="located",
                code=code,
                facts=facts,
                hidden=setting.case.show == "hidden",
            )
    return None


def _values(setting: Setting, output: RawOutput) -> Located | None:
    """The first output of the last call that differs, described."""
    if len(output.leaves) != len(setting.expected.leaves):
        return None
    wanted = setting.expected.leaves[-1]
    for index, ((name, want), got) in enumerate(
        zip(named(setting, wanted), output.leaves[-1], strict=False)
    ):
        if want.array is None or got.array is None:
            continue
        left, right = got.array.astype(np.float64), want.array.astype(np.float64)
        axes = axes_of(setting, index)
        if left.shape == right.shape and is_close(left, right, setting.tolerance):
            continue
        if not (np.isfinite(left).all() and np.isfinite(right).all()) or right.size < 2:
            return None
        if left.shape == right.shape and is_close(left, right, LOOSE):
            return None
        for describe in DESCRIPTIONS:
            facts = describe(setting, left, right, axes)
            if facts is not None:
                return f"locate.{describe.__name__.strip('_')}", {"output": name, **facts}
        return None
    return None


def _axis(axes: tuple[str, ...], index: int) -> str:
    return axes[index] if index < len(axes) else str(index)


def _transposed(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Equal with its axes in another order."""
    if got.ndim != want.ndim or got.ndim > 5:
        return None
    for order in permutations(range(want.ndim)):
        if order == tuple(range(want.ndim)) or got.transpose(order).shape != want.shape:
            continue
        if is_close(got.transpose(order), want, LOOSE):
            inverse = np.argsort(order)
            told = axes if len(set(axes)) == want.ndim else ()
            return {"axes": [_axis(told, int(index)) for index in inverse]}
    return None


def _factor(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Equal but for one factor."""
    if got.shape != want.shape or not np.abs(want).max(initial=0.0):
        return None
    factor = float((got * want).sum() / (want * want).sum())
    if np.count_nonzero(want) < 2 or abs(factor) < 1e-6 or abs(factor - 1) < 1e-3:
        return None
    if not is_close(got, factor * want, LOOSE):
        return None
    return {"factor": factor}


def _offset(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Equal but for one number that was added."""
    if got.shape != want.shape:
        return None
    offset = float((got - want).mean())
    return {"offset": offset} if is_close(got, want + offset, LOOSE) else None


def _permuted(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Equal with what stands along one axis in another order."""
    if got.shape != want.shape:
        return None
    for axis in range(want.ndim):
        length = want.shape[axis]
        if not 1 < length <= 64:
            continue
        left = np.moveaxis(got, axis, 0).reshape(length, -1)
        right = np.moveaxis(want, axis, 0).reshape(length, -1)
        order = [
            next((j for j in range(length) if is_close(row, right[j], LOOSE)), -1) for row in left
        ]
        if sorted(order) == list(range(length)):
            return {"axis": _axis(axes, axis)}
    return None


def _masked(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Equal but where a mask is False."""
    if got.shape != want.shape:
        return None
    wrong = _wrong(got, want)
    for path, array in setting.base.calls[-1].arrays().items():
        fits = array.ndim == want.ndim and all(
            own in (1, length) for own, length in zip(array.shape, want.shape, strict=True)
        )
        if fits and array.dtype.kind == "b" and not array.all() and not (wrong & array).any():
            return {"mask": path}
    return None


def _along(setting: Setting, got: Array, want: Array, axes: tuple[str, ...]) -> Facts | None:
    """Right along a part of one axis: before a position, after it, or everywhere but at some."""
    if got.shape != want.shape:
        return None
    wrong = _wrong(got, want)
    best: tuple[int, Facts] | None = None
    for axis in range(want.ndim):
        others = tuple(index for index in range(want.ndim) if index != axis)
        bad = wrong.any(axis=others)
        if bad.all():
            continue
        places = np.flatnonzero(bad).tolist()
        runs = list(_runs(places))
        listed = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:MOST_RUNS])
        more = sum(b - a + 1 for a, b in runs[MOST_RUNS:])
        facts: Facts = {"axis": _axis(axes, axis), "places": listed, "more": more or None}
        if best is None or len(places) < best[0]:
            best = len(places), facts
    return None if best is None else best[1]


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each stretch of whole numbers, of which none is left out."""
    start = 0
    for at in range(1, len(places) + 1):
        if at == len(places) or places[at] != places[at - 1] + 1:
            yield places[start], places[at - 1]
            start = at


def _wrong(got: Array, want: Array) -> NDArray[np.bool_]:
    return np.abs(got - want) > LOOSE.atol + LOOSE.rtol * np.abs(want)


DESCRIPTIONS: tuple[Callable[[Setting, Array, Array, tuple[str, ...]], Facts | None], ...] = (
    _transposed,
    _factor,
    _offset,
    _permuted,
    _masked,
    _along,
)


def _gradients(setting: Setting, answers: Mapping[Key, RawOutput]) -> Located | None:
    """Which gradients are wrong, in a case whose values are right."""
    output = next(
        (
            out
            for (case, variant), out in answers.items()
            if case == setting.case.id and variant.endswith(" gradients")
        ),
        None,
    )
    if output is None or output.outcome is not Outcome.OK:
        return None
    wrong = list(_wrong_gradients(setting, output))
    fine = [name for name in setting.expected.gradients if name not in wrong]
    return ("locate.gradient", {"wrong": wrong[:8], "fine": fine[:8]}) if wrong and fine else None


def _wrong_gradients(setting: Setting, output: RawOutput) -> Iterator[str]:
    for name, want in setting.expected.gradients.items():
        got = output.gradients.get(name)
        if got is None:
            got = np.zeros_like(want)
        if got.shape != want.shape or not is_close(got, want, LOOSE):
            yield name
