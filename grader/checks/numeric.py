"""Is what comes back of the right form, and is it right?"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from grader.checks.base import (
    Outputs,
    alike,
    axes_of,
    finding,
    heatmap,
    mismatch,
    named,
    not_run,
    passed,
)
from grader.types import Facts, Finding, Leaf, Picture, Setting, Tolerance, Trial, Verdict

Pair = tuple[int, str, Leaf, Leaf]
"""Index of an output, its name, what came back and what was expected."""


def shape(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The structure and the shapes of everything that comes back, call by call."""
    output = outputs.get("base")
    if failure := not_run(setting, "shape", output):
        return failure
    assert output is not None
    for got, expected in zip(output.leaves, setting.expected.leaves, strict=False):
        if wrong := _structure(setting, got, expected):
            return finding(setting, "shape", Verdict.FAIL, "shape.structure", **wrong)
        for index, (name, got_leaf, expected_leaf) in enumerate(_pairs(setting, got, expected)):
            if got_leaf.array is None or expected_leaf.array is None:
                continue
            if got_leaf.array.shape != expected_leaf.array.shape:
                return finding(
                    setting,
                    "shape",
                    Verdict.FAIL,
                    "shape.mismatch",
                    output=name,
                    axes=", ".join(axes_of(setting, index)),
                    expected=list(expected_leaf.array.shape),
                    got=list(got_leaf.array.shape),
                )
    return passed(setting, "shape")


def dtype(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The dtype of every tensor; a plain number and a tensor without axes count alike."""
    for _, name, got, expected in _comparable(setting, outputs):
        if got.kind != "number" and expected.kind == "tensor" and got.dtype != expected.dtype:
            return finding(
                setting,
                "dtype",
                Verdict.FAIL,
                "dtype.mismatch",
                output=name,
                expected=expected.dtype,
                got=got.dtype,
            )
    return _of_form(setting, outputs, "dtype")


def finite(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """No NaN and no infinity where the reference has none."""
    for _, name, got, expected in _comparable(setting, outputs):
        if got.array is None or expected.array is None:
            continue
        if got.array.dtype.kind != "f" or expected.array.dtype.kind != "f":
            continue
        bad = np.atleast_1d(~np.isfinite(got.array) & np.isfinite(expected.array))
        if bad.any():
            at = np.argwhere(bad)[0][: got.array.ndim].tolist()
            facts = {"bad": int(bad.sum()), "total": int(bad.size), "at": at}
            code = "finite.not_finite"
            return finding(setting, "finite", Verdict.FAIL, code, output=name, **facts)
    return _of_form(setting, outputs, "finite")


def close(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """Every value within the tolerance of the reference's.

    Options `rtol` and `atol` stand in for the rubric's; `over` names the outputs that are looked
    at.
    """
    tolerance = Tolerance(
        rtol=float(options.get("rtol", setting.tolerance.rtol)),
        atol=float(options.get("atol", setting.tolerance.atol)),
    )
    failure: Finding | None = None
    pictures: tuple[Picture, ...] = ()
    maps: dict[str, Picture] = {}
    for index, name, got, expected in _comparable(setting, outputs):
        if name not in options.get("over", (name,)):
            continue
        if got.array is None or expected.array is None:
            if got.text != expected.text:
                facts = {"output": name, "expected": expected.text, "got": got.text}
                return finding(setting, "close", Verdict.FAIL, "close.text", **facts)
            continue
        if (wrong := mismatch(got.array, expected.array, tolerance)) is not None:
            if failure is None or _is_map(setting, index):
                pictures += _pictures(setting, name, got, expected)
                pictures += _over_positions(setting, index, name, got, expected)
            failure = failure or finding(
                setting, "close", Verdict.FAIL, "close.mismatch", output=name, **wrong.facts()
            )
        elif _is_map(setting, index) and setting.case.show != "hidden":
            drawn = heatmap(name, "picture.got", got.array)
            maps |= {name: drawn} if drawn else {}
    if failure is not None:
        return dataclasses.replace(failure, pictures=pictures)
    right = _of_form(setting, outputs, "close")
    if right.verdict is not Verdict.PASS or not maps:
        return right
    # Right or not, people want to see what is looked at.
    return dataclasses.replace(right, code="close.map", pictures=tuple(maps.values()))


def parameters(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The names, number and identity of the built module's parameters.

    A stack of n layers must hold n distinct ones: a parameter that is another one under a second
    name is reported with both. It counts once.
    """
    output = outputs.get("describe")
    if failure := not_run(setting, "parameters", output):
        return failure
    assert output is not None
    expected = {parameter.name: parameter for parameter in setting.expected.parameters}
    got = {parameter.name: parameter for parameter in output.parameters}
    for name, parameter in got.items():
        if parameter.same_as and (name not in expected or not expected[name].same_as):
            facts = {"name": name, "same_as": parameter.same_as}
            code = "parameters.shared"
            return finding(setting, "parameters", Verdict.FAIL, code, **facts)
    if got.keys() != expected.keys():
        facts = {
            "missing": ", ".join(sorted(expected.keys() - got.keys())) or "-",
            "unexpected": ", ".join(sorted(got.keys() - expected.keys())) or "-",
        }
        return finding(setting, "parameters", Verdict.FAIL, "parameters.names", **facts)
    counts = [
        sum(
            int(np.prod(each.shape))
            for each in module.values()
            if each.trainable and not each.same_as
        )
        for module in (expected, got)
    ]
    if counts[0] != counts[1]:
        facts = {"expected": counts[0], "got": counts[1]}  # type: ignore[dict-item]
        return finding(setting, "parameters", Verdict.FAIL, "parameters.count", **facts)
    return passed(setting, "parameters")


def describe_trial(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """The trial that lists the built module's parameters."""
    trial = dataclasses.replace(setting.base, variant="describe", probe="describe", weights=None)
    return (dataclasses.replace(trial, calls=()),)


def _structure(
    setting: Setting, got: tuple[Leaf, ...], expected: tuple[Leaf, ...]
) -> dict[str, str]:
    """What is returned against what should be, as text; empty where the structures agree.

    Numbers, arrays and tensors are alike here; None or an object of another kind is not.
    """
    if alike(got, expected):
        return {}
    known = [name for name, _ in named(setting, expected)]
    return {
        "expected": _drawn([(leaf.path, name) for leaf, name in zip(expected, known, strict=True)]),
        "got": _drawn([(leaf.path, _kind(leaf)) for leaf in got]),
    }


def _kind(leaf: Leaf) -> str:
    if leaf.array is not None and leaf.kind in ("tensor", "array"):
        return f"{leaf.kind} {tuple(leaf.array.shape)}"
    return {"none": "None", "other": leaf.text, "text": "str"}.get(leaf.kind, leaf.kind)


def _drawn(leaves: list[tuple[str, str]]) -> str:
    """Leaves at paths such as "[1][0]" as one nested tuple: "(output, (h_n, c_n))"."""
    if len(leaves) == 1 and not leaves[0][0]:
        return leaves[0][1]
    groups: dict[str, list[tuple[str, str]]] = {}
    for path, text in leaves:
        head, _, rest = path.partition("]")
        groups.setdefault(head, []).append((rest, text))
    drawn = ", ".join(_drawn(group) for group in groups.values())
    return f"({drawn},)" if len(groups) == 1 else f"({drawn})"


def _pairs(
    setting: Setting, got: tuple[Leaf, ...], expected: tuple[Leaf, ...]
) -> Iterator[tuple[str, Leaf, Leaf]]:
    for (name, want), leaf in zip(named(setting, expected), got, strict=True):
        yield name, leaf, want


def _comparable(setting: Setting, outputs: Outputs) -> Iterator[Pair]:
    """Leaves of the plain trial in the expected places, call by call; arrays of another shape are
    left out."""
    output = outputs.get("base")
    for got, expected in zip(
        output.leaves if output else (), setting.expected.leaves, strict=False
    ):
        if _structure(setting, got, expected):
            return
        for index, (name, left, right) in enumerate(_pairs(setting, got, expected)):
            arrays = left.array, right.array
            if arrays[0] is None or arrays[1] is None or arrays[0].shape == arrays[1].shape:
                yield index, name, left, right


def _of_form(setting: Setting, outputs: Outputs, check: str) -> Finding:
    """A pass for `check`, unless nothing of the right form came back."""
    formed = shape(setting, outputs, {})
    return dataclasses.replace(formed, check=check)


def _pictures(setting: Setting, name: str, got: Leaf, expected: Leaf) -> tuple[Picture, ...]:
    """What came back beside what was expected, and how far apart, for a public case."""
    if setting.case.show == "hidden" or got.array is None or expected.array is None:
        return ()
    drawn: list[tuple[str, Any]] = [
        ("picture.got", got.array),
        ("picture.expected", expected.array),
    ]
    if got.array.dtype.kind == expected.array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            drawn.append(("picture.error", np.abs(got.array - expected.array)))
    pictures = (heatmap(name, label, array) for label, array in drawn)
    return tuple(picture for picture in pictures if picture is not None)


def _sequences(setting: Setting) -> set[str]:
    """Axes along which some argument holds one vector after another."""
    return {axes[-2] for axes in setting.axes.values() if len(axes) > 2}


def _is_map(setting: Setting, index: int) -> bool:
    """Whether an output says how much each position of a sequence looks at each of another, or of
    its own."""
    axes = axes_of(setting, index)
    own = axes[-2:-1] == axes[-1:]
    return len(axes) > 2 and (own or set(axes[-2:]) <= _sequences(setting))


def _over_positions(
    setting: Setting, index: int, name: str, got: Leaf, expected: Leaf
) -> tuple[Picture, ...]:
    """The largest difference at each position of an output that is a sequence."""
    axes = axes_of(setting, index)
    if setting.case.show == "hidden" or len(axes) < 3 or axes[-2] not in _sequences(setting):
        return ()
    if got.array is None or expected.array is None or _is_map(setting, index):
        return ()
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(got.array.astype(np.float64) - expected.array)
    largest = np.moveaxis(distance, -2, 0).reshape(distance.shape[-2], -1).max(axis=1)
    if len(largest) < 3 or not np.isfinite(largest).all():
        return ()
    values = (tuple(float(value) for value in largest),)
    return (Picture(kind="curve", label="picture.positions", name=name, values=values),)
