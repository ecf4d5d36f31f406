"""What the relations share: a relation holds between several calls, whatever the right values are.

The trusted side makes the varied trials; the worker does not know which belong together. Since
even a cumulative mean satisfies some relations, one passes only where the plain values are right;
where it holds but they are not, it is BLOCKED.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from grader.checks.base import Outputs, finding, not_run, same_form, values_right
from grader.types import Call, Facts, Finding, Setting, Trial, Verdict


def needs_values(
    judge: Callable[[Setting, Outputs, Facts], Finding],
) -> Callable[[Setting, Outputs, Facts], Finding]:
    """A relation's judge that passes only where the plain values are right."""

    def judged(setting: Setting, outputs: Outputs, options: Facts) -> Finding:
        check = judge.__name__
        base = outputs.get("base")
        if failure := not_run(setting, check, base):
            return failure
        assert base is not None
        if not same_form(setting, base):
            return finding(setting, check, Verdict.BLOCKED, "relation.needs_values")
        found = judge(setting, outputs, options)
        if found.verdict is Verdict.PASS and not values_right(setting, base):
            return finding(setting, check, Verdict.BLOCKED, "relation.needs_values", held=True)
        return found

    return judged


def varied(setting: Setting, variant: str, change: Callable[[Call], Call]) -> Trial:
    """The plain trial with every call changed."""
    calls = tuple(change(call) for call in setting.base.calls)
    return dataclasses.replace(setting.base, variant=variant, calls=calls)


def taken(setting: Setting, call: Call, axis: str, order: Sequence[int]) -> Call:
    """The call with some positions along an axis, in the given order; every argument that has it.

    An argument with the axis twice (a self-attention mask) is reordered along both.
    """
    changed = {}
    for path, array in call.arrays().items():
        for index, each in enumerate(setting.axes.get(path, ())):
            if each == axis and array.shape[index] > 1:
                array = np.take(array, order, index)
        changed[path] = array
    return call.with_arrays(changed)
