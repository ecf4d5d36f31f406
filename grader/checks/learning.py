"""Does training do what it should, step by step?"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import Outputs, finding, not_run, passed
from grader.types import Facts, Finding, Leaf, Picture, Setting, Verdict

RTOL = 1e-6
"""Rounding grows from step to step, so a curve gets more room than a value."""
ATOL = 1e-9


def curve(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The losses equal the reference's, in order: one array, or one number a call.

    Options: `rtol`, in place of the one that a curve gets.
    """
    output = outputs.get("base")
    if failure := not_run(setting, "curve", output):
        return failure
    assert output is not None
    expected, got = _flat(setting.expected.leaves), _flat(output.leaves)
    if got.shape != expected.shape:
        facts = {"output": "losses", "axes": "steps", "expected": list(expected.shape)}
        return finding(
            setting, "curve", Verdict.FAIL, "shape.mismatch", got=list(got.shape), **facts
        )
    rtol = float(options.get("rtol", RTOL))
    with np.errstate(over="ignore"):
        wrong = ~np.isclose(got, expected, rtol=rtol, atol=ATOL)
    if not wrong.any():
        return passed(setting, "curve")
    step = int(wrong.argmax())
    failure = finding(
        setting,
        "curve",
        Verdict.FAIL,
        "curve.mismatch",
        step=step + 1,
        expected=float(expected[step]),
        got=float(got[step]),
        allowed=float(ATOL + rtol * abs(expected[step])),
    )
    if setting.case.show == "hidden" or not np.isfinite(got).all():
        return failure
    lines = (tuple(map(float, got)), tuple(map(float, expected)))
    picture = Picture(kind="curve", label="picture.losses", name="losses", values=lines)
    return dataclasses.replace(failure, pictures=(picture,))


def _flat(leaves: tuple[tuple[Leaf, ...], ...]) -> NDArray[np.float64]:
    """Every number of every call, in order."""
    arrays = [np.ravel(leaf.array) for call in leaves for leaf in call if leaf.array is not None]
    return np.concatenate([np.zeros(0), *arrays]).astype(np.float64)
