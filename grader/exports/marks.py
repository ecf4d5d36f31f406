"""Final marks: what is handed on to an LMS.

Points are exact until they are written; then they are rounded half up to two decimals, once. Where
there is no final mark there is a reason and no number: what is withheld is never a zero.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from grader.errors import UsageError
from grader.reports.legible import visible
from grader.reports.schema import VIEW
from grader.reports.view import StudentView
from grader.roster import Roster
from grader.types import Standing, Status

Why = Literal["", "withheld", "unreadable", "pending", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalMark:
    """What one student gets for one assignment."""

    student: str
    """Name of the student."""
    points: Fraction | None
    """Points, exact; None where there is no final mark."""
    possible: Fraction
    """Points that could be earned, bonus not counted."""
    why: Why = ""
    """Why there is no final mark; empty where there is one."""
    note: str = ""
    """What the instructor should know."""

    def out_of(self, maximum: Fraction) -> "FinalMark":
        """The same share of another maximum, still exact."""
        if self.points is None or not self.possible:
            return self
        return replace(self, points=self.points * maximum / self.possible, possible=maximum)


def final_mark(standing: Standing, *, so_far: bool = False, decided: bool = False) -> FinalMark:
    """The mark that somebody gets for where they stand.

    Args:
        standing: where they stand.
        so_far: take what has been earned where a person has yet to mark something.
        decided: whether a person has set the whole mark, which is the last word.
    """
    why: Why = ""
    if decided and standing.earned is not None:
        why = ""
    elif standing.status is Status.WITHHELD:
        why = "withheld"
    elif standing.earned is None:
        why = "unreadable"
    elif standing.pending and standing.status is Status.GRADED and not so_far:
        why = "pending"
    return FinalMark(
        student=standing.student,
        points=None if why else standing.earned,
        possible=standing.possible + standing.pending,
        why=why,
        note=standing.note,
    )


def with_missing(marks: Iterable[FinalMark], roster: Roster) -> tuple[FinalMark, ...]:
    """The marks, and one without points for everybody of the roster who handed in nothing."""
    known = tuple(marks)
    there = {visible(mark.student) for mark in known}
    possible = max((mark.possible for mark in known), default=Fraction(0))
    missing = (
        FinalMark(student=person.student, points=None, possible=possible, why="missing")
        for person in roster.people
        if visible(person.student) not in there
    )
    return (*known, *missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One submission in a folder of results."""

    student: str
    """Name of the student, as the results show it."""
    folder: Path
    """Folder of the student's report."""
    record: dict[str, Any]
    """What `grades.json` says of it."""


def read_view(kept: Kept) -> StudentView:
    """What one student sees of a folder of results.

    Raises:
        UsageError: it can't be read.
    """
    path = kept.folder / "grade.json"
    try:
        return VIEW.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"expected a student's grade, got {type(error).__name__} @ {path}; grade again"
        ) from error


def read_results(results: Path) -> tuple[Kept, ...]:
    """What `grader grade` left in a folder.

    Raises:
        UsageError: there are no results in it.
    """
    path = results / "grades.json"
    try:
        records = json.loads(path.read_bytes())
        return tuple(
            Kept(
                student=record["student"],
                folder=results / record["folder"],
                record=record,
            )
            for record in records["grades"]
        )
    except OSError as error:
        raise UsageError(
            f"expected results of grader grade, got {error.strerror} @ {path}; grade first, or "
            "name the folder with --results DIR"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"expected results of grader grade, got {type(error).__name__} @ {path}; grade again"
        ) from error
