"""Many variants of one call as one call: copies side by side along the batch axis.

A small module's call costs as much for twenty items as for two, so a relation that varies a call
twenty times asks once. Checks never see it: `stack` merges the trials that they ask for, `unstack`
takes apart what comes back. Only where everything has a batch axis, in eval mode, and never for
a check that is about the batch itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grader.checks.base import axes_of
from grader.types import Call, Leaf, Outcome, RawOutput, Setting, Trial

BATCH = "B"
MARK = "*"


def stack(setting: Setting, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The trials of one check as one, its variant "stem*count", or as they are.

    Args:
        setting: the case they belong to.
        trials: variants "stem:0", "stem:1", ... of the plain call.
    """
    if len(trials) < 2 or not all(_plain(setting, trial) for trial in trials):
        return tuple(trials)
    calls = [trial.calls[0] for trial in trials]
    found = [call.arrays() for call in calls]
    stacked = {}
    for path, first in found[0].items():
        axes = setting.axes.get(path, ())
        arrays = [each[path] for each in found]
        if any(array.shape != first.shape for array in arrays):
            return tuple(trials)
        if BATCH in axes:
            stacked[path] = np.concatenate(arrays, axes.index(BATCH))
        elif not all(np.array_equal(array, first) for array in arrays):
            return tuple(trials)
    stem = trials[0].variant.partition(":")[0]
    call = calls[0].with_arrays(stacked)
    return (replace(trials[0], variant=f"{stem}{MARK}{len(trials)}", calls=(call,)),)


def unstack(setting: Setting, variant: str, output: RawOutput) -> Iterator[tuple[str, RawOutput]]:
    """Each variant with its part of what came back; a trial that was not stacked as it is."""
    stem, mark, count = variant.rpartition(MARK)
    if not mark:
        yield variant, output
        return
    parts = _parts(setting, output, int(count))
    for index, part in enumerate(parts):
        yield f"{stem}:{index}", part


def _plain(setting: Setting, trial: Trial) -> bool:
    """Whether a trial is one call with nothing but arrays in it that all end in a batch."""
    base = setting.base
    same = (trial.entry, trial.config, trial.mode, trial.seed, trial.probe, trial.inputs_back)
    return (
        same == (base.entry, base.config, "eval", base.seed, "call", False)
        and trial.weights is base.weights
        and len(trial.calls) == len(setting.expected.leaves) == 1
        and not trial.calls[0].feed
        and _only_arrays(trial.calls[0])
        and any(BATCH in axes for axes in setting.axes.values())
        and all(
            BATCH in axes_of(setting, index)
            for index, leaf in enumerate(setting.expected.leaves[0])
            if leaf.array is not None
        )
    )


def _only_arrays(call: Call) -> bool:
    plain = (np.ndarray, tuple, int, float, str, type(None))
    return all(isinstance(value, plain) for value in call.args.values())


def _parts(setting: Setting, output: RawOutput, count: int) -> list[RawOutput]:
    """The output cut along the batch axis, or whole for every part where it can't be cut."""
    if output.outcome is not Outcome.OK or len(output.leaves) != 1 or not output.leaves[0]:
        return [output] * count
    cut: list[list[NDArray[np.generic] | None]] = []
    for index, leaf in enumerate(output.leaves[0]):
        axes = axes_of(setting, index)
        if leaf.array is None:
            cut.append([None] * count)
            continue
        at = axes.index(BATCH) if BATCH in axes else 0
        if leaf.array.ndim <= at or leaf.array.shape[at] % count:
            return [output] * count
        size = leaf.array.shape[at] // count
        before = (slice(None),) * at
        cut.append([leaf.array[(*before, slice(n * size, n * size + size))] for n in range(count)])
    leaves: list[tuple[Leaf, ...]] = [
        tuple(
            Leaf(path=leaf.path, kind=leaf.kind, dtype=leaf.dtype, array=own, text=leaf.text)
            for leaf, own in zip(output.leaves[0], own_arrays, strict=True)
        )
        for own_arrays in zip(*cut, strict=True)
    ]
    return [replace(output, leaves=(each,)) for each in leaves]
