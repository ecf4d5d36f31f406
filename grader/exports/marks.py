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

from pydantic import TypeAdapter, ValidationError

from grader.errors import UsageError
from grader.reports.legible import visible
from grader.roster import Roster
from grader.types import Grade, Status

GRADE: TypeAdapter[Grade] = TypeAdapter(Grade)
KEPT = ".grades"
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


def final_mark(grade: Grade, *, so_far: bool = False) -> FinalMark:
    """The mark that a grade comes to.

    Args:
        grade: the grade.
        so_far: take what has been earned where a person has yet to mark something.
    """
    return _mark(
        grade.student, grade.status, grade.earned, grade.possible, grade.pending, so_far=so_far
    )


def _mark(
    student: str,
    status: Status,
    earned: Fraction | None,
    possible: Fraction,
    pending: Fraction,
    *,
    so_far: bool,
) -> FinalMark:
    why: Why = ""
    if status is Status.WITHHELD:
        why = "withheld"
    elif earned is None:
        why = "unreadable"
    elif pending and not so_far and status is Status.GRADED:
        why = "pending"
    points = None if why else earned
    return FinalMark(student=student, points=points, possible=possible + pending, why=why)


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
    grade: Grade | None
    """The grade, exact; None where it was withheld and so is not kept."""


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
                grade=_exact(results, record),
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


def _exact(results: Path, record: dict[str, Any]) -> Grade | None:
    """The grade as it was kept, under the name that it has in these results."""
    try:
        view = json.loads((results / record["folder"] / "grade.json").read_bytes())
        key = str(view["provenance"]["key"])
        kept = (results / KEPT / Path(f"{key}.json").name).read_bytes()
        return replace(GRADE.validate_json(kept), student=record["student"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def results_marks(kept: Iterable[Kept], *, so_far: bool = False) -> tuple[FinalMark, ...]:
    """The marks of a folder of results: exact where the grade is kept, else as it was written."""
    return tuple(
        _recorded(each, so_far=so_far)
        if each.grade is None
        else final_mark(each.grade, so_far=so_far)
        for each in kept
    )


def _recorded(kept: Kept, *, so_far: bool) -> FinalMark:
    earned, possible, pending = (
        None if (value := kept.record[name]) is None else Fraction(str(value))
        for name in ("earned", "possible", "pending")
    )
    status = Status(kept.record["status"])
    return _mark(
        kept.student, status, earned, possible or Fraction(0), pending or Fraction(0), so_far=so_far
    )
