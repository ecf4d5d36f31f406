"""What a submission was asked in a public case, as a line of Python that a beginner can read."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grader.reports.legible import number_text, visible
from grader.types import Build, Optimizer, StoredLogits, Trial

MOST_NUMBERS = 6
"""Of an array with no more numbers than these, the numbers are shown; of others the shape."""
LONGEST = 400


def call_text(trial: Trial) -> str:
    """The plain call of a case: `LSTMCell(input_size=2, hidden_size=3)(x=tensor (4, 2))`."""
    owner, _, method = trial.entry.partition(".")
    built = f"{owner}({_named(trial.config)})" if trial.config or trial.weights else owner
    target = f"{built}.{method}" if method else built
    called = [f"{target}({_named(call.args, trial)})" for call in trial.calls[:1]]
    again = len(trial.calls) - 1
    text = "".join(called) + (f" ... and {again} more" if again > 0 else "")
    return visible(text, limit=LONGEST)


def _named(args: Mapping[str, Any], trial: Trial | None = None) -> str:
    return ", ".join(f"{name}={_value(value, trial)}" for name, value in args.items())


def _value(value: Any, trial: Trial | None) -> str:
    if isinstance(value, np.ndarray):
        if value.size <= MOST_NUMBERS:
            return _numbers(value.tolist())
        kind = "array" if trial is not None and trial.arrays == "numpy" else "tensor"
        return f"{kind} {_shape(value.shape)}"
    if isinstance(value, Build):
        return f"{value.name}({_named(value.config)})"
    if isinstance(value, Optimizer):
        return ", ".join([f"{value.name}({value.of}.parameters()", _named(value.config)]) + ")"
    if isinstance(value, StoredLogits):
        return f"model of logits {_shape(value.table.shape)}"
    if isinstance(value, tuple):
        return f"({_listed(_value(item, trial) for item in value)})"
    return repr(value)


def _numbers(value: Any) -> str:
    if isinstance(value, list):
        return f"[{_listed(map(_numbers, value))}]"
    return number_text(value)


def _shape(shape: Iterable[int]) -> str:
    sizes = tuple(shape)
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({_listed(map(str, sizes))})"


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def first_calls(trials: Mapping[str, Trial]) -> dict[str, str]:
    """The call of every case that makes one."""
    return {case: call_text(trial) for case, trial in trials.items() if trial.calls}
