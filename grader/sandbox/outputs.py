"""From a frame that student code may have forged to a RawOutput. Trusted side.

Nothing in a frame is believed beyond its form: text is cut and cleaned, lines are bounded, a name
is taken only from a list that we hold.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from grader.types import (
    Facts,
    Job,
    Leaf,
    Outcome,
    Parameter,
    RawOutput,
    StudentError,
    Trial,
)

OUR_FAULT = RawOutput(outcome=Outcome.BROKEN)
MISFITS = {
    "missing": Outcome.MISSING,
    "mismatch": Outcome.MISMATCH,
    "signature": Outcome.RAISED,
    "unreadable": Outcome.UNREADABLE,
    "skipped": Outcome.SKIPPED,
}
KINDS = frozenset({"tensor", "array", "number", "bool", "none", "text", "other"})


class _Forged(Exception):
    """The frame does not have the form that our worker gives it."""


def raw_output(frame: Any, trial: Trial | None, job: Job, printed: str) -> RawOutput:
    """What a worker's frame says, or UNREADABLE where it has not the worker's form.

    Args:
        frame: a decoded frame.
        trial: the trial it answers; None for the load.
        job: the job it answers, for the names and limits that may stand in it.
        printed: what the submission wrote to stdout and stderr.
    """
    try:
        output = _read(frame, job, printed)
        if trial is not None and output.outcome is Outcome.OK:
            _compare_with_question(output, trial)
        return output
    except _Forged as error:
        facts = {"reason": "frame", "got": str(error)}
        return RawOutput(outcome=Outcome.UNREADABLE, facts=facts)


def _read(frame: Any, job: Job, printed: str) -> RawOutput:
    tree = _mapping(frame)
    called = {name for name in _list(tree.get("used")) if isinstance(name, str)}
    used = tuple(api for api in job.forbidden if api in called)
    if "error" in tree:
        return _raised(_mapping(tree["error"]), job, used, printed)
    if "misfit" in tree:
        outcome = MISFITS.get(_text(tree["misfit"]), Outcome.UNREADABLE)
        facts = _misfit_facts(_mapping(tree.get("facts")), outcome)
        return RawOutput(outcome=outcome, facts=facts, used=used, stdout=printed)
    return RawOutput(
        outcome=Outcome.OK,
        leaves=tuple(tuple(map(_leaf, _list(call))) for call in _list(tree.get("leaves", []))),
        gradients={
            _text(name): None if grad is None else _float_array(grad)
            for name, grad in _mapping(tree.get("gradients", {})).items()
        },
        inputs={
            _text(name): _any_array(value)
            for name, value in _mapping(tree.get("inputs", {})).items()
        },
        parameters=tuple(map(_parameter, _list(tree.get("parameters", [])))),
        used=used,
        stdout=printed,
    )


def _compare_with_question(output: RawOutput, trial: Trial) -> None:
    """Refuses what our worker can't have answered, so that no check meets it."""
    if trial.probe == "call" and len(output.leaves) != len(trial.calls):
        raise _Forged(f"expected {len(trial.calls)} calls, got {len(output.leaves)}")
    sent: dict[str, Any] = {}
    for call in trial.calls:
        sent |= call.arrays()
    sent |= trial.weights or {}
    for name, gradient in output.gradients.items():
        shape = () if trial.probe == "slopes" else getattr(sent.get(name), "shape", None)
        if gradient is not None and shape is not None and gradient.shape != shape:
            raise _Forged(f"expected a gradient {shape}, got {gradient.shape}")
    if any(value.shape for name, value in output.inputs.items() if name.endswith(".training")):
        raise _Forged("expected one mode for each module")


def _raised(error: Mapping[str, Any], job: Job, used: tuple[str, ...], printed: str) -> RawOutput:
    line = error.get("line")
    lines = job.source.count("\n") + 1
    if error.get("memory") is True:
        return RawOutput(
            outcome=Outcome.MEMORY, facts={"megabytes": job.limits.memory_mb}, used=used
        )
    module = _text(error.get("module"))
    return RawOutput(
        outcome=Outcome.RAISED,
        error=StudentError(
            type=_text(error.get("type"))[:80],
            message=_text(error.get("message"))[:2000],
            line=line if type(line) is int and 1 <= line <= lines else None,
        ),
        facts={"module": module} if module else {},
        used=used,
        stdout=printed,
    )


def _misfit_facts(facts: Mapping[str, Any], outcome: Outcome) -> Facts:
    """Those that a sentence is filled with, each of its form; lists at most 40 long."""
    read: dict[str, Any] = {key: form(facts[key]) for key, form in FORMS.items() if key in facts}
    if outcome is Outcome.MISMATCH and not any(map(read.get, MISFITTING)):
        raise _Forged("expected a parameter that does not fit")
    return read


def _short(value: Any) -> str:
    return _text(value)[:300]


def _names(value: Any) -> list[str]:
    return [_short(name) for name in _list(value)[:40]]


def _misshapen(value: Any) -> list[list[Any]]:
    """For each parameter its name, the shape that was expected and its own."""
    rows = [_list(row) for row in _list(value)[:40]]
    if not all(len(row) == 3 for row in rows):
        raise _Forged("expected a name and two shapes")
    return [[_short(name), list(_shape(want)), list(_shape(got))] for name, want, got in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _short(value)
    if type(value) is int and abs(value) < 2**53:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value[:40]]
    return None


MISFITTING = ("missing", "unexpected", "misshapen")
FORMS: Mapping[str, Callable[[Any], Any]] = {
    "entry": _short,
    "reason": _short,
    "message": _short,
    "got": _plain,
    "given": _names,
    "missing": _names,
    "unexpected": _names,
    "misshapen": _misshapen,
}
"""What each fact of a misfit has to be."""


def _leaf(tree: Any) -> Leaf:
    leaf = _mapping(tree)
    kind = _text(leaf.get("kind"))
    if kind not in KINDS:
        raise _Forged(f"expected a kind of value, got {kind[:40]!r}")
    array = None if leaf.get("array") is None else _any_array(leaf["array"])
    if (array is not None) != (kind in ("tensor", "array", "number", "bool")):
        raise _Forged(f"expected values for what has some, got {kind}")
    if array is not None and array.shape and kind in ("number", "bool"):
        raise _Forged(f"expected one {kind}, got {array.size}")
    return Leaf(
        path=_text(leaf.get("path"))[:200],
        kind=kind,  # type: ignore[arg-type]
        dtype=_text(leaf.get("dtype"))[:20],
        array=array,
        text=_text(leaf.get("text"))[:10_000],
    )


def _parameter(tree: Any) -> Parameter:
    parameter = _mapping(tree)
    return Parameter(
        name=_text(parameter.get("name"))[:300],
        shape=_shape(parameter.get("shape")),
        trainable=parameter.get("trainable") is True,
        same_as=_text(parameter.get("same_as"))[:300],
    )


def _shape(value: Any) -> tuple[int, ...]:
    shape = tuple(_list(value))
    if not all(type(length) is int and 0 <= length < 2**40 for length in shape):
        raise _Forged("expected a shape")
    return shape


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Forged(f"expected a mapping, got {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Forged(f"expected a list, got {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    """A string that can be written anywhere: lone surrogates become question marks."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Forged(f"expected text, got {type(value).__name__}")
    return value.encode("utf-8", "replace").decode()


def _any_array(value: Any) -> np.ndarray[Any, Any]:
    if not isinstance(value, np.ndarray):
        raise _Forged(f"expected an array, got {type(value).__name__}")
    return value


def _float_array(value: Any) -> np.ndarray[Any, Any]:
    array = _any_array(value)
    if array.dtype.kind != "f":
        raise _Forged(f"expected floats, got {array.dtype}")
    return array
