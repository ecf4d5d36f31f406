"""`grader grade --profile`: where a run's time went, by stage, and what was slowest."""

import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.sandbox.stopwatch import CHILD, watched

ORDER = (
    "load",
    *CHILD[:2],
    *CHILD[3:],
    "talk",
    "end",
    "compare",
    "diagnose",
    "report",
    "gradebook",
)
"""Stages of a submission, in the order in which it meets them."""
ONCE = ("reference", "class page")
"""Stages of a run."""
MEANS = {
    "load": "slice what was handed in, parse it, run its module",
    "fork": "from asking the warm process until the child is there",
    "lock-down": "namespaces, limits, Landlock, seccomp",
    "build": "constructors, and giving weights",
    "run": "calls, and reading what they return",
    "gradients": "forward and backward passes",
    "talk": "frames to and fro, waiting for a place or a processor, children that were lost",
    "end": "ending the child and all below it",
    "compare": "what the checks make of the answers",
    "diagnose": "known mistakes, the first time they are asked for too",
    "report": "page and JSON of a student",
    "gradebook": "keeping the grade",
    "reference": "answers of the reference",
    "class page": "class page, CSV and JSON",
}
SLOWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one submission took."""

    student: str
    """Name of the student."""
    seconds: float
    """Wall-clock seconds of its grading, without report and gradebook."""
    stages: Mapping[str, float]
    """Seconds by stage, each counted once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one stage came to over all submissions."""

    seconds: float
    """In all."""
    mean_seconds: float
    """For each submission."""
    median_seconds: float
    """In the middle of them; 0 where the whole run does it, as it does the reports."""
    longest_seconds: float
    """For the one that took longest; 0 as well."""


class Profile:
    """What a run takes, as it goes; safe to use from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken: list[Taken] = []
        """One for each submission that was graded, not for one that was known."""
        self.main: Mapping[str, float] = {}
        """Seconds by stage of what the whole run does: reports, the reference."""
        self.seconds = 0.0
        """Wall-clock seconds of the run."""

    @contextmanager
    def run(self) -> Iterator[None]:
        """The whole run."""
        started = time.perf_counter()
        with watched() as watch:
            yield
        self.main, self.seconds = watch.seconds, time.perf_counter() - started

    @contextmanager
    def submission(self, student: str) -> Iterator[None]:
        """The grading of one submission, in its thread."""
        started = time.perf_counter()
        with watched() as watch:
            yield
        took = Taken(
            student=student, seconds=time.perf_counter() - started, stages=dict(watch.seconds)
        )
        with self._lock:
            self.taken.append(took)

    def by_stage(self) -> dict[str, Stage]:
        """What each stage of a submission came to, in their order."""
        stages = {}
        for name in ORDER:
            each = [took.stages.get(name, 0.0) for took in self.taken]
            seconds = sum(each) + self.main.get(name, 0.0)
            stages[name] = Stage(
                seconds=seconds,
                mean_seconds=seconds / max(1, len(each)),
                median_seconds=statistics.median(each) if each else 0.0,
                longest_seconds=max(each, default=0.0),
            )
        return stages

    def shown(self) -> RenderableType:
        """The table of the stages, and the slowest submissions."""
        return Group(self._stages(), self._slowest())

    def _stages(self) -> Table:
        table = Table(title=f"{len(self.taken)} graded in {self.seconds:.1f} s")
        table.add_column("stage")
        for name in ("seconds", "mean ms", "median ms", "longest ms"):
            table.add_column(name, justify="right")
        table.add_column("what")
        for name, came in self.by_stage().items():
            cells = (came.mean_seconds, came.median_seconds, came.longest_seconds)
            shown = [f"{seconds * 1e3:.1f}" if seconds else "" for seconds in cells]
            table.add_row(name, f"{came.seconds:.2f}", *shown, MEANS[name])
        for name in ONCE:
            table.add_row(name, f"{self.main.get(name, 0.0):.2f}", "", "", "", MEANS[name])
        return table

    def _slowest(self) -> Table:
        table = Table(title="slowest submissions")
        table.add_column("student")
        table.add_column("seconds", justify="right")
        table.add_column("most of it")
        for took in sorted(self.taken, key=lambda took: -took.seconds)[:SLOWEST]:
            most = sorted(took.stages.items(), key=lambda item: -item[1])[:3]
            said = ", ".join(f"{name} {seconds:.2f}" for name, seconds in most)
            table.add_row(Text(took.student), f"{took.seconds:.2f}", said)
        return table
