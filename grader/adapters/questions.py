"""Questions of ours that are asked of them in parts: slopes as plain calls, a state handed on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.types import Build, Leaf, Outcome, RawOutput, Trial


def expanded(trial: Trial) -> list[Trial]:
    """A question about slopes as plain calls: twice as it is, then a step up and down each."""
    if trial.probe != "slopes":
        return [trial]
    plain = replace(trial, probe="call", cotangents=(), steps={})
    moved = [
        _moved(plain, name, sign * step)
        for name, step in trial.steps.items()
        for sign in (1.0, -1.0)
    ]
    return [plain, replace(plain, seed=plain.seed + 1), *moved]


def renamed(trial: Trial, names: Mapping[str, str]) -> Trial:
    """A question to something of another name."""
    calls = tuple(
        replace(
            call,
            args={
                name: replace(value, name=names.get(value.name, value.name))
                if isinstance(value, Build)
                else value
                for name, value in call.args.items()
            },
        )
        for call in trial.calls
    )
    return replace(trial, entry=names.get(trial.entry, trial.entry), calls=calls)


def _moved(trial: Trial, name: str, step: Any) -> Trial:
    """A question with one tensor moved a little."""
    if trial.weights and name in trial.weights:
        return replace(trial, weights={**trial.weights, name: trial.weights[name] + step})
    (call,) = trial.calls
    return replace(trial, calls=(call.with_arrays({name: call.arrays()[name] + step}),))


def slopes(trial: Trial, outputs: list[RawOutput]) -> RawOutput:
    """How much the contracted outputs differ between a step up and one down, by tensor."""
    failed = next((each for each in outputs if each.outcome is not Outcome.OK), None)
    if failed is not None:
        return failed
    sums = [_contracted(trial, output) for output in outputs]
    slopes = {
        name: np.asarray(sums[2 + 2 * n] - sums[3 + 2 * n]) for n, name in enumerate(trial.steps)
    }
    return RawOutput(outcome=Outcome.OK, gradients=slopes if sums[0] == sums[1] else {})


def _contracted(trial: Trial, output: RawOutput) -> float:
    arrays = [leaf.array for leaf in output.leaves[0] if leaf.array is not None]
    floats = [array for array in arrays if array.dtype.kind == "f"]
    if [a.shape for a in floats] != [c.shape for c in trial.cotangents]:
        return float("nan")
    return float(sum((a * c).sum() for a, c in zip(floats, trial.cotangents, strict=True)))


def nested(leaves: Sequence[Leaf], index: int) -> Any:
    """One of the values that a call returned, an array or a tuple of them."""
    start = f"[{index}]"
    found = [leaf.array for leaf in leaves if leaf.path.startswith(start)]
    alone = [leaf for leaf in leaves if leaf.path == start]
    return alone[0].array if alone else tuple(found)
