"""Which position moves which: no effect where it is forbidden, one wherever it is allowed."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import (
    RELATION,
    Outputs,
    axes_of,
    finding,
    named,
    names,
    not_run,
    passed,
    same_form,
)
from grader.checks.relations import varied
from grader.errors import CourseError
from grader.types import Call, Facts, Finding, RawOutput, Setting, Trial, Verdict

EFFECT = 1e-13
"""The least change that counts as an effect of an allowed pair."""


# -- one position at a time: causal, mask -----------------------------------------------------


def causal_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """One trial for each position of the axis, with that position changed in every argument."""
    return _one_position_each(setting, "causal", options)


def mask_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """One trial for each key, with that key changed in every argument that has the axis."""
    _allowed(setting, options)
    return _one_position_each(setting, "mask", {**options, "axis": options["keys"]})


def causal(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """A position changes no output before it, and every output from it on.

    Options: `axis`, the axis of time; `outputs`, the outputs looked at (the first); `vary`, the
    arguments changed (all that have the axis).
    """
    return _effects(setting, outputs, options, "causal", options["axis"], lambda j, i, b: i >= j)


def mask(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """A key changes exactly the outputs of the queries that may attend to it.

    Options: `keys` and `queries`, their axes; `arg`, the mask argument; `vary`, the arguments
    changed (all that have the keys' axis but the mask).
    """
    pairs = _allowed(setting, options)

    def allowed(j: int, i: int, b: int) -> bool:
        return bool(pairs[b % len(pairs), i % pairs.shape[1], j % pairs.shape[2]])

    return _effects(setting, outputs, options, "mask", options["queries"], allowed)


def _allowed(setting: Setting, options: Facts) -> NDArray[np.bool_]:
    """Which query of which item may attend to which key (B, L_q, L_k), in some head at least."""
    keep = setting.base.calls[0].arrays().get(options["arg"])
    if keep is None or keep.ndim == 0:
        raise CourseError(
            f"expected a mask argument, got {options['arg']!r} @ case {setting.case.id}, check mask"
        )
    if keep.ndim == 2 and "B" in setting.axes.get(options["arg"], ()):
        keep = keep[:, None]  # (B, L_k) -> (B, 1, L_k)
    if keep.ndim == 3 and "B" not in setting.axes.get(options["arg"], ("B",)):
        keep = keep[None]  # (H, L_q, L_k) -> (1, H, L_q, L_k)
    keep = keep.reshape((1,) * (3 - keep.ndim) + keep.shape)
    shape = (keep.shape[0], -1, *keep.shape[-2:])
    pairs: NDArray[np.bool_] = np.any(keep.reshape(shape), axis=1)
    return pairs


def _one_position_each(setting: Setting, check: str, options: Facts) -> tuple[Trial, ...]:
    varying = _with_axis(setting, options["axis"], options)
    _looked_at(setting, options.get("queries", options["axis"]), options, check)
    return tuple(
        varied(setting, f"{check}:{position}", partial(_changed, setting, varying, position))
        for position in range(_positions(setting, varying, options["axis"]))
    )


def _positions(setting: Setting, varying: dict[str, int], axis: str) -> int:
    """How many positions the axis has in the arguments that are changed."""
    arrays = setting.base.calls[0].arrays()
    lengths = {arrays[path].shape[at] for path, at in varying.items()}
    if len(lengths) != 1:
        raise CourseError(
            f"expected arguments with the axis {axis!r}, all of one length, got lengths "
            f"{sorted(lengths)} @ case {setting.case.id}"
        )
    return int(lengths.pop())


def _looked_at(setting: Setting, axis: str, options: Facts, check: str) -> list[str]:
    """Names of the outputs that are looked at, each of which has the axis."""
    known = {name: axes_of(setting, index) for index, name in enumerate(names(setting))}
    wanted: list[str] = list(options.get("outputs", list(known)[:1]))
    for name in wanted:
        if axis not in known.get(name, ()):
            raise CourseError(
                f"expected an output with the axis {axis!r} (say its axes in `returns`), got "
                f"{name!r} @ case {setting.case.id}, check {check}"
            )
    return wanted


def _with_axis(setting: Setting, axis: str, options: Facts) -> dict[str, int]:
    """Arguments that hold values along an axis, with the axis's index; masks are left alone."""
    arrays = setting.base.calls[0].arrays()
    wanted = options.get("vary", tuple(setting.axes))
    return {
        path: axes.index(axis)
        for path, axes in setting.axes.items()
        if axis in axes and path in wanted and arrays[path].dtype.kind != "b"
    }


def _changed(setting: Setting, varying: dict[str, int], position: int, call: Call) -> Call:
    """The call with one position of some arguments replaced: a new number, another token."""
    generator = np.random.RandomState(setting.seed % 2**31 + position)
    arrays, changed = call.arrays(), {}
    for path, axis in varying.items():
        array = arrays[path].copy()
        place = (slice(None),) * axis + (position,)
        if path in setting.tokens:
            tokens = setting.tokens[path]
            span = tokens.high - tokens.low
            moved = (array[place] - tokens.low + 1) % span + tokens.low
            pads = array[place] == tokens.pad if tokens.pad is not None else False
            array[place] = np.where(pads, array[place], moved)
        else:
            array[place] += generator.standard_normal(array[place].shape) + 0.5
        changed[path] = array
    return call.with_arrays(changed)


def _effects(
    setting: Setting,
    outputs: Outputs,
    options: Facts,
    check: str,
    axis: str,
    allowed: Callable[[int, int, int], bool],
) -> Finding:
    """Whether changing position j moves position i of item b exactly where `allowed(j, i, b)`."""
    base = outputs["base"]
    varied_axis = options.get("keys", axis)
    varying = _with_axis(setting, varied_axis, options)
    looked_at = _looked_at(setting, axis, options, check)
    for j in range(_positions(setting, varying, varied_axis)):
        output = outputs.get(f"{check}:{j}")
        if failure := not_run(setting, check, output):
            return failure
        assert output is not None
        if not same_form(setting, output):
            return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
        real = _really_changed(setting, varying, j)
        for name, moves in _moves(setting, base, output, axis, looked_at):
            for b, i in np.ndindex(*moves.shape):
                facts = {"output": name, "axis": axis, "changed": j, "by": float(moves[b, i])}
                if allowed(j, i, b):
                    if real[b % len(real)] and moves[b, i] <= EFFECT:
                        return finding(
                            setting, check, Verdict.FAIL, f"{check}.blind", still=i, item=b, **facts
                        )
                elif moves[b, i] > RELATION.atol:
                    return finding(
                        setting, check, Verdict.FAIL, f"{check}.leak", moved=i, item=b, **facts
                    )
    return passed(setting, check)


def _really_changed(setting: Setting, varying: dict[str, int], position: int) -> list[bool]:
    """For each item, whether changing a position changes anything: a pad stays what it is."""
    arrays = setting.base.calls[0].arrays()
    for path, axis in varying.items():
        tokens = setting.tokens.get(path)
        if tokens is None or tokens.pad is None or axis != 1:
            return [True]
        return [bool(token != tokens.pad) for token in arrays[path][:, position]]
    return [True]


def _moves(
    setting: Setting, base: RawOutput, other: RawOutput, axis: str, looked_at: list[str]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """For each output, how far each item and position (B, T) moved; to or from NaN is infinitely
    far."""
    pairs = zip(named(setting, base.leaves[0]), other.leaves[0], strict=True)
    for index, ((name, left), right) in enumerate(pairs):
        axes = axes_of(setting, index)
        if name not in looked_at or left.array is None or right.array is None or axis not in axes:
            continue
        before, after = left.array.astype(float), right.array.astype(float)
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.abs(after - before)
        still = (before == after) | (np.isnan(before) & np.isnan(after))
        distance = np.where(still, 0.0, np.nan_to_num(distance, nan=np.inf, posinf=np.inf))
        distance = np.moveaxis(distance, axes.index(axis), -1)
        rest = [each for at, each in enumerate(axes) if at != axes.index(axis)]
        distance = np.moveaxis(distance, rest.index("B"), 0) if "B" in rest else distance[None]
        yield name, distance.max(axis=tuple(range(1, distance.ndim - 1)))
