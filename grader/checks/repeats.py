"""What must hold when the same call is made again: no traces, no chance, dropout in its place."""

import dataclasses

import numpy as np

from grader.checks.base import (
    RELATION,
    Outputs,
    alike,
    finding,
    mismatch,
    named,
    not_run,
    passed,
    same_form,
)
from grader.checks.relations import taken
from grader.types import Build, Facts, Finding, Leaf, Setting, StoredLogits, Trial, Verdict


def pure(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The arguments are unchanged after the call, and models are in the mode they were in."""
    output = outputs["base"]
    for path, sent in setting.base.calls[-1].arrays().items():
        back = output.inputs.get(path)
        if back is None or back.shape != sent.shape:
            return finding(setting, "pure", Verdict.FAIL, "pure.changed", argument=path, by=0.0)
        if (wrong := mismatch(back, sent, RELATION)) is not None:
            facts = {"argument": path, "by": wrong.worst}
            return finding(setting, "pure", Verdict.FAIL, "pure.changed", **facts)
    for name, wanted in _modes(setting).items():
        if bool(output.inputs.get(f"{name}.training", np.asarray(wanted))) is not wanted:
            return finding(setting, "pure", Verdict.FAIL, "pure.mode", argument=name)
    return passed(setting, "pure")


def _modes(setting: Setting) -> dict[str, bool]:
    """Modules among the arguments, each with whether it was given in train mode."""
    return {
        name: value.mode == "train"
        for name, value in setting.base.calls[-1].args.items()
        if isinstance(value, Build | StoredLogits)
    }


def determinism_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """Another call first, with fewer items, then the plain one twice, on the same instance.

    What is random from call to call shows in the first of the two, and so does what is kept for a
    number of items; what is only kept for calls of the same form shows in the second.
    """
    call = setting.base.calls[0]
    fewer = [
        array.shape[setting.axes[path].index("B")] - 1
        for path, array in call.arrays().items()
        if "B" in setting.axes.get(path, ())
    ]
    order = list(range(max(1, min(fewer, default=1))))
    other = taken(setting, call, "B", order)
    return (
        dataclasses.replace(
            setting.base,
            variant="determinism",
            calls=(other, call, call),
            seed=setting.base.seed + 1,
        ),
    )


def determinism(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """The same call, after one with another batch size and after itself, gives what it gave."""
    base, output = outputs["base"], outputs.get("determinism")
    if failure := not_run(setting, "determinism", output):
        return failure
    assert output is not None
    once, again = output.leaves[-2:]
    if not (alike(once, base.leaves[0]) and alike(again, base.leaves[0])):
        return finding(setting, "determinism", Verdict.BLOCKED, "relation.needs_values")
    for first, second, code in (
        (base.leaves[0], once, "determinism.differs"),
        (once, again, "determinism.repeated"),
    ):
        if (differs := _difference(setting, first, second)) is not None:
            name, by = differs
            return finding(setting, "determinism", Verdict.FAIL, code, output=name, by=by)
    return passed(setting, "determinism")


def _difference(
    setting: Setting, first: tuple[Leaf, ...], second: tuple[Leaf, ...]
) -> tuple[str, float] | None:
    """The first output in which two calls differ, and by how much."""
    for (name, left), right in zip(named(setting, first), second, strict=True):
        if left.array is None or right.array is None:
            continue
        if left.array.shape != right.array.shape:
            return name, float("inf")
        if (wrong := mismatch(right.array, left.array, RELATION)) is not None:
            return name, wrong.worst
    return None


def mode_trials(setting: Setting, options: Facts) -> tuple[Trial, ...]:
    """The plain call in train mode, and in eval mode from another seed."""
    return (
        dataclasses.replace(setting.base, variant="mode:train", mode="train"),
        dataclasses.replace(setting.base, variant="mode:eval", seed=setting.base.seed + 1),
    )


def mode(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
    """Dropout acts in train mode and only there."""
    base = outputs["base"]
    for variant, wanted in (("mode:eval", True), ("mode:train", False)):
        output = outputs.get(variant)
        if failure := not_run(setting, "mode", output):
            return failure
        assert output is not None
        if not same_form(setting, output):
            return finding(setting, "mode", Verdict.BLOCKED, "relation.needs_values")
        ((name, left), *_), (right, *_) = list(named(setting, base.leaves[0])), output.leaves[0]
        assert left.array is not None and right.array is not None
        wrong = mismatch(right.array, left.array, RELATION)
        if wanted and wrong is not None:
            facts = {"output": name, "by": wrong.worst}
            return finding(setting, "mode", Verdict.FAIL, "mode.noisy", **facts)
        if not wanted and wrong is None:
            return finding(setting, "mode", Verdict.FAIL, "mode.same", output=name)
    return passed(setting, "mode")
