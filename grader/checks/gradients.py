"""Are the gradients right, of the inputs and of every parameter?

The outputs are contracted with fixed random cotangents: a plain sum says nothing behind a softmax
or a norm, whose outputs sum to a constant.
"""

import dataclasses
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import (
    Outputs,
    finding,
    mismatch,
    not_run,
    passed,
    same_form,
    values_right,
)
from grader.types import Facts, Finding, Outcome, RawOutput, Setting, Trial, Verdict

STEP = 1e-6
"""Step of the central difference: its error is about STEP**2 + 1e-16 / STEP, near 1e-10."""
DIFFERENCE_RTOL = 1e-4
VANISHING = 1e-12


def trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """One backward pass."""
    return (
        dataclasses.replace(
            setting.base,
            variant="gradients",
            probe="gradients",
            calls=setting.base.calls[:1],
            cotangents=cotangents(setting),
        ),
    )


def cotangents(setting: Setting) -> tuple[NDArray[np.float64], ...]:
    """A random array for each float output of the first call."""
    return _drawn(
        setting.seed,
        tuple(
            leaf.array.shape
            for leaf in setting.expected.leaves[0]
            if leaf.array is not None and leaf.array.dtype.kind == "f"
        ),
    )


@lru_cache(maxsize=1024)
def _drawn(seed: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.float64], ...]:
    """The same for every submission of a class, so drawn once."""
    generator = np.random.RandomState(seed)
    return tuple(generator.standard_normal(shape) for shape in shapes)


def judge(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The gradients equal the reference's, by name; where the reference has none, there is none.

    Where the forward is wrong already they are judged against it instead, by central differences
    along one random direction for each tensor; that can't earn the points (BLOCKED), but it says
    which of the two to mend. Option `stops`: the task itself stops a gradient on its way, as
    truncated backpropagation does, so differences would say nothing, and none are taken.
    """
    base, output = outputs.get("base"), outputs.get("gradients")
    if failure := not_run(setting, "gradient", base):
        return failure
    assert base is not None
    if not values_right(setting, base):
        return _against_own_forward(setting, outputs)
    if failure := not_run(setting, "gradient", output):
        return failure
    assert output is not None
    for name, expected in setting.expected.gradients.items():
        got = output.gradients.get(name)
        if got is None:
            if np.abs(expected).max(initial=0.0) > VANISHING:
                return finding(setting, "gradient", Verdict.FAIL, "gradient.absent", name=name)
            continue
        if got.shape != expected.shape:
            facts = {"output": name, "axes": "", "expected": list(expected.shape)}
            return finding(
                setting, "gradient", Verdict.FAIL, "shape.mismatch", got=list(got.shape), **facts
            )
        if (wrong := mismatch(got, expected, setting.tolerance)) is not None:
            return finding(
                setting, "gradient", Verdict.FAIL, "gradient.mismatch", name=name, **wrong.facts()
            )
    for name, got in output.gradients.items():
        if name not in setting.expected.gradients and got is not None and np.any(got != 0):
            return finding(setting, "gradient", Verdict.FAIL, "gradient.unwanted", name=name)
    return passed(setting, "gradient")


def follow_up(setting: Setting, outputs: Outputs, options: Facts) -> tuple[Trial, ...]:
    """Small steps of every tensor, where the forward is wrong but of the right form."""
    base, output = outputs.get("base"), outputs.get("gradients")
    if not _own_forward(setting, base, output) or setting.case.mode != "eval":
        return ()
    if options.get("stops"):
        return ()
    steps = {name: STEP * direction for name, direction in _directions(setting).items()}
    (backward,) = trials(setting, options)
    return (dataclasses.replace(backward, variant="slopes", probe="slopes", steps=steps),)


def _own_forward(setting: Setting, base: RawOutput | None, output: RawOutput | None) -> bool:
    return (
        base is not None
        and output is not None
        and base.outcome is output.outcome is Outcome.OK
        and same_form(setting, base)
        and not values_right(setting, base)
    )


def _against_own_forward(setting: Setting, outputs: Outputs) -> Finding:
    base, output = outputs.get("base"), outputs.get("gradients")
    if not _own_forward(setting, base, output):
        return finding(setting, "gradient", Verdict.BLOCKED, "relation.needs_values")
    assert output is not None
    slopes = outputs.get("slopes")
    differences = {} if slopes is None else slopes.gradients
    compared = 0
    for name, direction in _directions(setting).items():
        difference = differences.get(name)
        if difference is None or not np.isfinite(difference):
            continue
        compared += 1
        slope = float(difference) / (2 * STEP)
        gradient = output.gradients.get(name)
        with np.errstate(invalid="ignore", over="ignore"):
            got = 0.0 if gradient is None else float((gradient * direction).sum())
        if abs(got - slope) > 1e-6 + DIFFERENCE_RTOL * abs(slope):
            code = "gradient.against_own_forward"
            return finding(
                setting, "gradient", Verdict.FAIL, code, name=name, expected=slope, got=got
            )
    code = "gradient.own_forward" if compared else "relation.needs_values"
    return finding(setting, "gradient", Verdict.BLOCKED, code)


def _directions(setting: Setting) -> Mapping[str, NDArray[np.float64]]:
    shapes = tuple(gradient.shape for gradient in setting.expected.gradients.values())
    drawn = _drawn(setting.seed + 1, shapes)
    return dict(zip(setting.expected.gradients, drawn, strict=True))
