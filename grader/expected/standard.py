"""What one assignment asks, and what a right answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.types import Job, Parameter, RawOutput, Rubric, Setting, Trial

Run = Callable[[Job], tuple[RawOutput, ...]]
"""How a job is run; `Runner.run`, or anything that does the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Everything that one assignment asks, and what a right answer is."""

    rubric: Rubric
    """The criteria."""
    settings: Mapping[str, Setting]
    """Every case made ready, by id."""
    trials: tuple[Trial, ...]
    """Every question to a submission, in order."""
    described: Mapping[str, tuple[Parameter, ...]]
    """Parameters of every built class, by `cases.build_key`."""


def top_level(rubric: Rubric) -> tuple[str, ...]:
    """Names that a submission defines at its top level: the class of an entry "Class.method"."""
    built = {
        value["build"].partition(".")[0]
        for case in rubric.cases
        for value in case.args.values()
        if isinstance(value, Mapping) and "build" in value
    }
    entries = [entry.partition(".")[0] for entry in rubric.entries]
    return tuple(dict.fromkeys([*entries, *sorted(built - {"torch"})]))


def parameters_of(
    described: Mapping[str, tuple[Parameter, ...]], asked: Mapping[str, Trial], base: Trial
) -> tuple[Parameter, ...]:
    """Parameters of the class that a case builds."""
    return next(
        described[key]
        for key, trial in asked.items()
        if trial.entry == base.entry and trial.config == base.config
    )
