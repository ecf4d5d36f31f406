"""What must stay the same when the input is made longer, taken apart or put in another order."""

import dataclasses
from functools import partial

import numpy as np

from grader.checks.base import (
    RELATION,
    Outputs,
    alike,
    axes_of,
    finding,
    mismatch,
    named,
    not_run,
    passed,
    same_form,
)
from grader.checks.relations import taken, varied
from grader.errors import CourseError
from grader.types import Call, Facts, Finding, Setting, Trial, Verdict


def padding_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """The arguments made longer along the axis by two positions that may not be attended to."""

    _some_length(setting, options["axis"], "padding")

    def longer(call: Call) -> Call:
        generator = np.random.RandomState(setting.seed % 2**31)
        changed = {}
        for path, array in call.arrays().items():
            axes = setting.axes.get(path, ())
            if options["axis"] not in axes:
                continue
            shape = list(array.shape)
            shape[axes.index(options["axis"])] = 2
            if array.dtype == bool:
                more = np.zeros(shape, dtype=bool)
            elif path not in setting.tokens:
                more = generator.standard_normal(shape)
            elif (pad := setting.tokens[path].pad) is not None:
                more = np.full(shape, pad)
            else:
                raise CourseError(
                    f"expected tokens with a pad @ case {setting.case.id}, argument {path}"
                )
            changed[path] = np.concatenate(
                [array, more.astype(array.dtype)], axes.index(options["axis"])
            )
        return call.with_arrays(changed)

    return (varied(setting, "padding", longer),)


def padding(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """More positions that may not be attended to change nothing: masking equals deleting.

    The new positions hold the padding token, or random numbers, and False in masks. Options:
    `axis`, the axis made longer.
    """
    return _unmoved(setting, outputs, "padding", ("padding",), options["axis"])


def _unmoved(
    setting: Setting, outputs: Outputs, check: str, variants: tuple[str, ...], axis: str = ""
) -> Finding:
    """Whether the outputs of some variants are those of the plain trial, as far as they reach."""
    base = outputs["base"]
    for variant in variants:
        output = outputs.get(variant)
        if failure := not_run(setting, check, output):
            return failure
        assert output is not None
        if not alike(output.leaves[0], base.leaves[0]):
            return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
        pairs = zip(named(setting, base.leaves[0]), output.leaves[0], strict=True)
        for index, ((name, left), right) in enumerate(pairs):
            if left.array is None or right.array is None:
                continue
            if right.array.ndim != left.array.ndim:
                return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
            reach = tuple(
                slice(length) if each == axis else slice(None)
                for each, length in zip(axes_of(setting, index), left.array.shape, strict=False)
            )
            seen = right.array[reach]
            if seen.shape != left.array.shape:
                return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
            if (wrong := mismatch(seen, left.array, RELATION)) is not None:
                facts = {"output": name, "by": wrong.worst, "at": list(wrong.at)}
                code = CODES.get(check, f"{check}.differs")
                return finding(setting, check, Verdict.FAIL, code, **facts)
    return passed(setting, check)


CODES = {"padding": "padding.leak"}


def batch_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """Every item of the batch alone."""
    return alone_trials(setting, {"axis": "B"})


def alone_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """Every position of an axis alone; none in a case without the axis."""
    axis = options["axis"]
    return tuple(
        varied(setting, f"alone:{item}", partial(_alone, setting, axis, item))
        for item in range(_length(setting, axis))
    )


def _length(setting: Setting, axis: str) -> int:
    """Length of an axis of the arguments, 0 where none has it."""
    for path, array in setting.base.calls[0].arrays().items():
        if axis in setting.axes.get(path, ()):
            return int(array.shape[setting.axes[path].index(axis)])
    return 0


def _some_length(setting: Setting, axis: str, check: str) -> int:
    """Length of an axis of the arguments.

    Raises:
        CourseError: none has it.
    """
    if found := _length(setting, axis):
        return found
    raise CourseError(
        f"expected an argument with the axis {axis!r} @ case {setting.case.id}, check {check}"
    )


def _alone(setting: Setting, axis: str, item: int, call: Call) -> Call:
    return taken(setting, call, axis, [item])


def batch(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """An item alone gives what it gives in a batch. The batch axis is the one named B."""
    return _apart(setting, outputs, "batch", "B", "batch.mixed")


def alone(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """A position of `axis` alone gives what it gives among the others."""
    return _apart(setting, outputs, "alone", options["axis"], "alone.differs")


def _apart(setting: Setting, outputs: Outputs, check: str, axis: str, code: str) -> Finding:
    base = outputs["base"]
    for item in range(_length(setting, axis)):
        output = outputs.get(f"alone:{item}")
        if failure := not_run(setting, check, output):
            return failure
        assert output is not None
        if not alike(output.leaves[0], base.leaves[0]):
            return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
        pairs = zip(named(setting, base.leaves[0]), output.leaves[0], strict=True)
        for index, ((name, left), right) in enumerate(pairs):
            axes = axes_of(setting, index)
            if left.array is None or right.array is None or axis not in axes:
                continue
            among = np.take(left.array, [item], axes.index(axis))
            if among.shape != right.array.shape:
                return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
            if (wrong := mismatch(right.array, among, RELATION)) is not None:
                facts = {"output": name, "axis": axis, "item": item, "by": wrong.worst}
                return finding(setting, check, Verdict.FAIL, code, at=list(wrong.at), **facts)
    return passed(setting, check)


def permutation_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """The positions of an axis in `times` random orders (20)."""
    return tuple(
        varied(setting, f"permutation:{number}", partial(_ordered, setting, options["axis"], order))
        for number, order in enumerate(_orders(setting, options))
    )


def _ordered(setting: Setting, axis: str, order: list[int], call: Call) -> Call:
    return taken(setting, call, axis, order)


def _orders(setting: Setting, options: Facts) -> list[list[int]]:
    length = _some_length(setting, options["axis"], "permutation")
    generator = np.random.RandomState(setting.seed % 2**31)
    return [generator.permutation(length).tolist() for _ in range(options.get("times", 20))]


def permutation(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """Another order of the inputs reorders the outputs that have the axis, and moves no other.

    Options: `axis`; `outputs`, those looked at (the first); `times`, how many orders.
    """
    base = outputs["base"]
    looked_at = options.get("outputs", [name for name, _ in named(setting, base.leaves[0])][:1])
    for number, order in enumerate(_orders(setting, options)):
        output = outputs.get(f"permutation:{number}")
        if failure := not_run(setting, "permutation", output):
            return failure
        assert output is not None
        if not same_form(setting, output):
            return finding(setting, "permutation", Verdict.BLOCKED, "relation.needs_values")
        pairs = zip(named(setting, base.leaves[0]), output.leaves[0], strict=True)
        for index, ((name, left), right) in enumerate(pairs):
            if name not in looked_at or left.array is None or right.array is None:
                continue
            axes, expected = axes_of(setting, index), left.array
            for at, each in enumerate(axes):
                expected = np.take(expected, order, at) if each == options["axis"] else expected
            if (wrong := mismatch(right.array, expected, RELATION)) is not None:
                moved = options["axis"] in axes
                code = f"permutation.{'equivariant' if moved else 'invariant'}"
                facts = {"output": name, "axis": options["axis"], "by": wrong.worst}
                return finding(setting, "permutation", Verdict.FAIL, code, **facts)
    return passed(setting, "permutation")


def chunked_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """The sequence in two calls, the state of the first carried to the second."""
    axis, cut = options["axis"], options["cut"]
    if not 0 < cut < _some_length(setting, axis, "chunked"):
        raise CourseError(
            f"expected a cut within the axis {axis!r}, got {cut} @ case {setting.case.id}"
        )
    call = setting.base.calls[0]
    chunks = []
    for part in (slice(None, cut), slice(cut, None)):
        taken = {
            path: np.ascontiguousarray(array[(slice(None),) * axes.index(axis) + (part,)])
            for path, array in call.arrays().items()
            if axis in (axes := setting.axes.get(path, ()))
        }
        chunks.append(call.with_arrays(taken))
    carried = {argument: int(index) for argument, index in options["state"].items()}
    second = dataclasses.replace(
        chunks[1],
        args={name: value for name, value in chunks[1].args.items() if name not in carried},
        feed=carried,
    )
    return (dataclasses.replace(setting.base, variant="chunked", calls=(chunks[0], second)),)


def chunked(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """A sequence in two chunks, the state carried, gives what the whole gives.

    Options: `axis` of time; `cut`, the length of the first chunk; `state`, for each argument that
    takes a state, the index of what it is in what comes back.
    """
    base, output = outputs["base"], outputs.get("chunked")
    if failure := not_run(setting, "chunked", output):
        return failure
    assert output is not None
    first, second = output.leaves
    if not alike(first, base.leaves[0]) or not alike(second, base.leaves[0]):
        return finding(setting, "chunked", Verdict.BLOCKED, "relation.needs_values")
    for index, (name, whole) in enumerate(named(setting, base.leaves[0])):
        left, right = first[index].array, second[index].array
        axes = axes_of(setting, index)
        if whole.array is None or left is None or right is None:
            continue
        if options["axis"] in axes:
            right = np.concatenate([left, right], axes.index(options["axis"]))
        if right.shape != whole.array.shape:
            return finding(setting, "chunked", Verdict.BLOCKED, "relation.needs_values")
        if (wrong := mismatch(right, whole.array, RELATION)) is not None:
            facts = {"output": name, "cut": options["cut"], "by": wrong.worst}
            return finding(setting, "chunked", Verdict.FAIL, "chunked.differs", **facts)
    return passed(setting, "chunked")
