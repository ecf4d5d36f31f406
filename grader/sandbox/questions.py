"""From a Job to the trees that travel to a worker. Trusted side.

What a worker is told stands here and nowhere else: no name of a case or a variant, and nothing
that is expected.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.types import Build, Call, Job, Named, Optimizer, StoredLogits, Trial


def job_tree(job: Job) -> dict[str, Any]:
    """A job as it travels, but for its trials: what to run and what is recorded."""
    return {
        "source": job.source,
        "modules": dict(job.modules),
        "forbidden": list(job.forbidden),
        "result_bytes": job.limits.result_bytes,
    }


def plan_tree(trials: tuple[Trial, ...]) -> dict[str, Any]:
    """Trials as they travel; weights that several of them share travel once."""
    shared: dict[int, int] = {}
    weights: list[dict[str, Any]] = []
    trees = []
    for trial in trials:
        tree = trial_tree(trial)
        if trial.weights is not None:
            if id(trial.weights) not in shared:
                shared[id(trial.weights)] = len(weights)
                weights.append(tree["weights"])
            tree["weights"] = shared[id(trial.weights)]
        trees.append(tree)
    return {"weights": weights, "trials": trees}


def trial_tree(trial: Trial) -> dict[str, Any]:
    """A trial as `probes.run` takes it: no name of a case or a variant, nothing expected.

    What is as in most trials (`probes.PLAIN`) is left out: each value costs every child a little.
    """
    tree = {
        "entry": trial.entry,
        "probe": "" if trial.probe == "call" else trial.probe,
        "config": _value(trial.config),
        "weights": None if trial.weights is None else dict(trial.weights),
        "mode": "" if trial.mode == "eval" else trial.mode,
        "calls": [_call_tree(call, trial.arrays == "numpy") for call in trial.calls],
        "cotangents": list(trial.cotangents),
        "steps": dict(trial.steps),
        "seed": trial.seed,
        "inputs_back": trial.inputs_back,
        "form": _value(trial.form),
    }
    return {name: value for name, value in tree.items() if value or name == "weights"}


def _call_tree(call: Call, numpy: bool) -> dict[str, Any]:
    args = {"args": _value(call.args, numpy)}
    return args | {"feed": dict(call.feed)} if call.feed else args


def _value(value: Any, numpy: bool = False) -> Any:
    if isinstance(value, float):
        return {"number": value}
    if numpy and isinstance(value, np.ndarray):
        return {"numpy": value}
    if isinstance(value, Build):
        return {
            "build": value.name,
            "config": _value(value.config),
            "weights": None if value.weights is None else dict(value.weights),
            "mode": value.mode,
            "frozen": list(value.frozen),
            "form": _value(value.form),
        }
    if isinstance(value, Named):
        return {"mapping": _value(value.values, numpy)}
    if isinstance(value, Optimizer):
        return {"optimizer": value.name, "of": value.of, "config": _value(value.config)}
    if isinstance(value, StoredLogits):
        return {
            "stored_logits": value.table,
            "trainable": value.trainable,
            "pad": value.pad,
            "mode": value.mode,
        }
    if isinstance(value, tuple):
        return tuple(_value(item, numpy) for item in value)
    if isinstance(value, list):
        return [_value(item, numpy) for item in value]
    if isinstance(value, Mapping):
        return {name: _value(item, numpy) for name, item in value.items()}
    return value
