"""What a check is, and what several of them ask: did it run, and is it close?"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.types import (
    Facts,
    Finding,
    Leaf,
    Outcome,
    Picture,
    RawOutput,
    Setting,
    Tolerance,
    Trial,
    Verdict,
)

Outputs = Mapping[str, RawOutput]
"""What came back for the trials of one case, by variant."""

RELATION = Tolerance(rtol=1e-9, atol=1e-11)
"""Two outputs of the same code, which only rounding may set apart."""


def no_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """For a check that looks at the plain trial alone."""
    return ()


def no_follow_up(setting: Setting, outputs: Outputs, options: Facts) -> tuple[Trial, ...]:
    """For a check that knows beforehand what it wants to see."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One way to look at what an entry computes."""

    judge: Callable[[Setting, Outputs, Facts], Finding]
    """The verdict on one case, from what came back for its trials; the last argument holds the
    options that the rubric gives."""
    trials: Callable[[Setting, Facts], tuple[Trial, ...]] = no_trials
    """Trials it needs beside the plain one."""
    follow_up: Callable[[Setting, Outputs, Facts], tuple[Trial, ...]] = no_follow_up
    """Trials it needs once it has seen what came back."""
    requires: tuple[str, ...] = ()
    """Options that the rubric has to give."""
    accepts: tuple[str, ...] = ()
    """Options that it may give besides."""
    sees_arguments: bool = False
    """Whether the plain trial is to send its arguments back as they are afterwards."""
    stacks: bool = False
    """Whether its variants may be asked side by side in one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Where and how far an array lies from what was expected."""

    wrong: int
    """Elements further away than is allowed."""
    total: int
    """Elements compared."""
    worst: float
    """Greatest distance; NaN where one of the two is no number."""
    at: tuple[int, ...]
    """Index of the greatest distance."""
    expected: float
    """Value expected there."""
    got: float
    """Value found there."""
    allowed: float
    """Distance allowed there."""

    def facts(self) -> dict[str, Any]:
        """As the message catalogue takes it."""
        return {
            "wrong": self.wrong,
            "total": self.total,
            "worst": self.worst,
            "at": list(self.at),
            "expected": self.expected,
            "got": self.got,
            "allowed": self.allowed,
        }


def finding(
    setting: Setting, check: str, verdict: Verdict, code: str = "", **facts: Any
) -> Finding:
    """A finding about a setting's case."""
    return Finding(
        check=check,
        case=setting.case.id,
        verdict=verdict,
        code=code,
        facts=facts,
        hidden=setting.case.show == "hidden",
    )


def passed(setting: Setting, check: str) -> Finding:
    """A plain pass."""
    return finding(setting, check, Verdict.PASS)


def is_close(got: NDArray[Any], expected: NDArray[Any], tolerance: Tolerance) -> bool:
    """Whether |got - expected| <= atol + rtol * |expected| everywhere (of the same shape).

    A NaN or an infinity is close only to itself.
    """
    if got.dtype.kind == expected.dtype.kind == "b" or expected.size == 0:
        return np.array_equal(got, expected)
    with np.errstate(invalid="ignore", over="ignore"):
        got = got.astype(np.float64, copy=False)
        allowed = tolerance.atol + tolerance.rtol * np.abs(expected)
        excess = float((np.abs(got - expected) - allowed).max())
        # A third of what isclose takes, and nearly every comparison ends here: only where both are
        # finite is it a finite number.
        if math.isfinite(excess):
            return excess <= 0
        return np.allclose(got, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)


def mismatch(got: NDArray[Any], expected: NDArray[Any], tolerance: Tolerance) -> Mismatch | None:
    """How `got` differs from `expected` (the same shape), or None where it is close enough."""
    if is_close(got, expected, tolerance):
        return None
    if got.dtype.kind == expected.dtype.kind == "b":
        wrong = np.atleast_1d(got != expected)
    else:
        got, expected = got.astype(np.float64), expected.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            wrong = np.atleast_1d(
                ~np.isclose(got, expected, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
            )
    left, right = np.atleast_1d(got).astype(np.float64), np.atleast_1d(expected).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(left - right)
    ranked = np.where(wrong, np.where(np.isfinite(distance), distance, np.inf), -1.0)
    at = np.unravel_index(int(ranked.argmax()), ranked.shape)
    return Mismatch(
        wrong=int(wrong.sum()),
        total=int(wrong.size),
        worst=float(distance[at]),
        at=tuple(int(index) for index in at)[: got.ndim],
        expected=float(right[at]),
        got=float(left[at]),
        allowed=float(tolerance.atol + tolerance.rtol * np.nan_to_num(abs(right[at]), posinf=0.0)),
    )


def names(setting: Setting) -> list[str]:
    """Names of what a call returns, in order, as the rubric gives them."""
    return list(setting.case.returns) or ["output"]


def axes_of(setting: Setting, index: int) -> tuple[str, ...]:
    """Axis names of the output at `index`, empty where the rubric gives none."""
    listed = list(setting.case.returns.values())
    return _split(listed[index]) if index < len(listed) else ()


@cache
def _split(text: str) -> tuple[str, ...]:
    return tuple(axis.strip() for axis in text.split(",") if axis.strip())


def named(setting: Setting, leaves: tuple[Leaf, ...]) -> Iterator[tuple[str, Leaf]]:
    """Each leaf with its name."""
    known = names(setting)
    for index, leaf in enumerate(leaves):
        yield (known[index] if index < len(known) else f"output{leaf.path}"), leaf


def values(output: RawOutput, call: int = -1) -> list[NDArray[Any]]:
    """The arrays that a call returned, in order."""
    if not output.leaves:
        return []
    return [leaf.array for leaf in output.leaves[call] if leaf.array is not None]


def alike(got: tuple[Leaf, ...], expected: tuple[Leaf, ...]) -> bool:
    """Whether two calls returned the same structure: arrays, numbers and tensors in one's places
    where they are in the other's, and else the same kind."""
    return [(leaf.path, leaf.kind if leaf.array is None else "array") for leaf in got] == [
        (leaf.path, leaf.kind if leaf.array is None else "array") for leaf in expected
    ]


def same_form(setting: Setting, output: RawOutput) -> bool:
    """Whether an output has the reference's structure and shapes in every call."""
    return len(output.leaves) == len(setting.expected.leaves) and all(
        [(leaf.path, None if leaf.array is None else leaf.array.shape) for leaf in got]
        == [(leaf.path, None if leaf.array is None else leaf.array.shape) for leaf in expected]
        for got, expected in zip(output.leaves, setting.expected.leaves, strict=True)
    )


def values_right(setting: Setting, output: RawOutput) -> bool:
    """Whether an output equals the reference's within the tolerance, in every call."""
    return (
        output.outcome is Outcome.OK
        and same_form(setting, output)
        and all(
            got.text == want.text
            and (
                got.array is None
                or want.array is None
                or is_close(got.array, want.array, setting.tolerance)
            )
            for got_call, want_call in zip(output.leaves, setting.expected.leaves, strict=True)
            for got, want in zip(got_call, want_call, strict=True)
        )
    )


def not_run(setting: Setting, check: str, output: RawOutput | None) -> Finding | None:
    """The finding for a trial that gave nothing back, or None where it gave something."""
    if output is None or output.outcome is Outcome.BROKEN:
        reason = "" if output is None else str(output.facts.get("reason", ""))
        return finding(setting, check, Verdict.BROKEN, "outcome.broken", reason=reason)
    if output.outcome is Outcome.OK:
        return None
    code, facts = _said(setting, output)
    return finding(setting, check, Verdict.ERROR, code, **facts)


def _said(setting: Setting, output: RawOutput) -> tuple[str, dict[str, Any]]:
    """Message code and facts of an outcome that is not OK."""
    entry = setting.case.entry
    facts: dict[str, Any] = {"entry": entry, **output.facts}
    if facts.pop("loading", False) and not facts.get("module"):
        return _load_said(output, facts)
    match output.outcome:
        case Outcome.RAISED if output.error is not None:
            error = output.error
            if facts.get("module"):
                return "load.missing_module", {"module": facts["module"]}
            if error.type == "NotImplementedError":
                return "outcome.not_written", {"entry": entry, "line": error.line}
            said = {"type": error.type, "message": error.message, "line": error.line}
            return "outcome.raised", {"entry": entry, **said}
        case Outcome.RAISED:
            return "outcome.signature", facts
        case Outcome.MISSING:
            return "outcome.missing", facts
        case Outcome.MISMATCH:
            return _mismatch_said(facts)
        case _:
            return f"outcome.{output.outcome.value}", facts


def _load_said(output: RawOutput, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same for what stopped a file while it was loaded, before any entry was called."""
    if output.error is None:
        return f"load.{output.outcome.value}", facts
    error = output.error
    return "load.failed", {"type": error.type, "message": error.message, "line": error.line}


def _mismatch_said(facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    entry = facts["entry"]
    if facts.get("missing") and facts.get("unexpected"):
        names = {"expected": facts["missing"], "got": facts["unexpected"]}
        return "outcome.mismatch_names", {"entry": entry, **names}
    if facts.get("missing"):
        return "outcome.mismatch_missing", {"entry": entry, "names": facts["missing"]}
    if facts.get("unexpected"):
        return "outcome.mismatch_unexpected", {"entry": entry, "names": facts["unexpected"]}
    name, expected, got = facts["misshapen"][0]
    return "outcome.mismatch_shape", {
        "entry": entry,
        "name": name,
        "expected": expected,
        "got": got,
    }


def heatmap(name: str, label: str, array: NDArray[Any]) -> Picture | None:
    """The last two axes of an array, first item of the others; None where there is no such."""
    if array.ndim < 2 or not 1 < array.shape[-1] <= 64 or not 1 < array.shape[-2] <= 64:
        return None
    rows = array.reshape(-1, *array.shape[-2:])[0].astype(np.float64)
    return Picture(
        kind="heatmap",
        label=label,
        name=name,
        values=tuple(tuple(float(value) for value in row) for row in rows),
    )
