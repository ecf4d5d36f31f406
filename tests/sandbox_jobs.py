"""Small jobs for the tests of the sandbox."""

import os
import textwrap
from typing import Any

import numpy as np

from grader.sandbox.runner import Runner
from grader.types import Call, Job, Limits, Outcome, RawOutput, Trial

ROOMY = Limits(seconds=60, trial_seconds=20, memory_mb=512)
"""For what should end by itself, also on a loaded machine."""

TIGHT = Limits(seconds=20, trial_seconds=0.7, memory_mb=512)
"""For what should be stopped."""


def trial(entry: str = "f", **args: Any) -> Trial:
    """A plain call of a function."""
    return Trial(case=entry, variant="base", entry=entry, calls=(Call(args=args),))


def job(
    source: str,
    *trials: Trial | str,
    limits: Limits = ROOMY,
    modules: Any = None,
    forbidden: Any = (),
) -> Job:
    """A job over `source`; a trial that is a name calls that function without arguments."""
    asked = [trial(each) if isinstance(each, str) else each for each in trials or ("f",)]
    return Job(
        source=textwrap.dedent(source),
        modules=modules or {},
        trials=tuple(asked),
        limits=limits,
        forbidden=tuple(forbidden),
    )


def ask(runner: Runner, source: str, *trials: Trial | str, **rest: Any) -> list[RawOutput]:
    """What the runner says to such a job."""
    outputs = runner.run(job(source, *trials, **rest))
    assert len(outputs) == len(trials or ("f",))
    return list(outputs)


def value(output: RawOutput) -> Any:
    """The one value that the one call of a trial gave back."""
    assert output.outcome is Outcome.OK, output
    ((leaf,),) = output.leaves
    if leaf.array is None:
        return None if leaf.kind == "none" else leaf.text
    return leaf.array[()]


def outcomes(outputs: list[RawOutput]) -> list[Outcome]:
    return [output.outcome for output in outputs]


def close(got: Any, want: Any) -> bool:
    return bool(np.allclose(got, want, rtol=1e-12, atol=1e-12, equal_nan=True))


def living(mark: str) -> list[int]:
    """Processes, zombies aside, that hold `mark` as an open file's or their folder's name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [f"/proc/{pid}/cwd"]
            links += [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
            if any(mark in os.readlink(link) for link in links) and int(pid) != os.getpid():
                found.append(int(pid))
        except OSError:
            continue
    return found
