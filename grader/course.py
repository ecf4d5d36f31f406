"""What a course asks of the machine that grades it: `course.yaml`, where there is one.

isolation: A              # the weakest level at which submissions may be run
wheel: https://example.org/sequence_grader-0.1.0-py3-none-any.whl   # what students install
bundles: https://example.org/{assignment}.zip                       # where their folders are
roster: roster.csv        # who is in the class
repositories:             # where their work is fetched from
  url: https://github.com/seq-2026/{assignment}-{github}.git
gradebook: gradebook.db    # a path from the course's folder, or postgresql://user@host/name
timezone: Asia/Seoul       # of the dates that name none
late: {takes: 10%, per: day, grace: 15 minutes, at_most: 50%}
attempts: latest           # best, before due
extra_credit: 10%          # the most that extra points add
assignments:
  lstm: {due: 2026-10-01 23:59, extensions: {ada: 2026-10-08}, waivers: {bob: in hospital}}
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from grader.errors import CourseError, UsageError
from grader.policy import Dates, LateRule, Policy, Share, Which
from grader.roster import Roster, read_roster
from grader.rubric import read_yaml, refusal
from grader.sandbox.warm import Isolation
from grader.types import FORBID_UNKNOWN_KEYS

FILE = "course.yaml"
GRADEBOOK = "gradebook.db"
FROM_ENVIRONMENT = "GRADER_GRADEBOOK"
LEVELS = ("A", "B", "E")
"""From the strictest."""
FOR_HIDDEN_CASES = "B"
"""The weakest level at which code that is not trusted meets what a student must not see."""
ADDRESS = r"^((https?|file)://[^\s\"'\\]+)?$"
"""An address that can stand in a notebook's code as it is, or nothing."""
BUNDLES = r"^((https?|file)://[^\s\"'\\]*\{assignment\}[^\s\"'\\]*\.zip)?$"


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PydanticCustomError("zone", "a time zone such as Asia/Seoul") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """Where students' repositories are; `{assignment}` and the roster's columns are filled in."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    url: str
    """Address of a repository, or a path: any remote that Git knows."""
    branch: str = ""
    """Branch that holds the work; the one that the remote stands at when empty."""
    folder: str = ""
    """Folder in it that holds the work; all of it when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `course.yaml` says."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    isolation: Literal["A", "B", "E"] = "E"
    """The weakest level of isolation at which its submissions may be run."""
    roster: str = ""
    """Path of the roster, from the course's folder; empty where there is none."""
    repositories: Repositories | None = None
    """Where students' repositories are."""
    wheel: Annotated[str, Field(pattern=ADDRESS)] = ""
    """Address of the engine's wheel, for students' notebooks and requirements."""
    bundles: Annotated[str, Field(pattern=BUNDLES)] = ""
    """Address of an assignment's folder as a zip, in which {assignment} stands for its name."""
    gradebook: str = GRADEBOOK
    """Where grades are kept: a path from the course's folder, or the URL of a database."""
    timezone: Annotated[str, AfterValidator(_zone)] = ""
    """Time zone of the dates that name none."""
    late: LateRule | None = None
    """What being late costs."""
    attempts: Which = "latest"
    """Which of several attempts counts."""
    extra_credit: Share | None = None
    """The most that extra points add beyond the possible ones, as a share of these; None: all."""
    assignments: Mapping[str, Dates] = field(default_factory=dict)
    """Dates of assignments, by name, with what differs from the above."""

    def policy(self, assignment: str) -> Policy:
        """What counts for one assignment.

        Raises:
            CourseError: a date has no time zone.
        """
        dates = self.assignments.get(assignment, Dates())
        path = f"$.assignments.{assignment}"
        extensions = {
            student: self._aware(moment, f"{path}.extensions.{student}")
            for student, moment in dates.extensions.items()
        }
        return Policy(
            due=None if dates.due is None else self._aware(dates.due, f"{path}.due"),
            late=dates.late or self.late,
            attempts=dates.attempts or self.attempts,
            extra_credit=self.extra_credit if dates.extra_credit is None else dates.extra_credit,
            extensions=extensions,
            waivers=dates.waivers,
        )

    def _aware(self, moment: datetime, path: str) -> datetime:
        if moment.tzinfo is not None:
            return moment
        if not self.timezone:
            raise CourseError(
                f"expected a time zone for {moment:%Y-%m-%d %H:%M}, got none @ {FILE} {path}; "
                "add timezone: Asia/Seoul, say, or an offset as in 2026-10-01T23:59+09:00"
            )
        return moment.replace(tzinfo=ZoneInfo(self.timezone))


SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def read_settings(course: Path) -> Settings:
    """The settings of a course; the defaults where it has no file of them.

    Raises:
        CourseError: the file is no YAML, or holds a key, a value or a name that is not known.
    """
    path = course / FILE
    if not path.exists():
        return Settings()
    try:
        settings = SETTINGS.validate_python(read_yaml(path, "the course's settings") or {})
    except ValidationError as error:
        listed: list[Any] = [Settings, Dates, LateRule, Repositories]
        keys = {key for each in listed for key in each.__dataclass_fields__}
        raise CourseError(refusal(error, str(path), keys)) from error
    for name in settings.assignments:
        if not (course / "rubrics" / f"{name}.yaml").exists():
            raise CourseError(
                f"expected an assignment of the course, got {name!r} @ {path} $.assignments"
            )
        settings.policy(name)
    return settings


def gradebook_place(course: Path) -> str:
    """Where a course keeps its grades: GRADER_GRADEBOOK, or what `course.yaml` says.

    Raises:
        CourseError: as `read_settings`.
    """
    if named := os.environ.get(FROM_ENVIRONMENT):
        return named
    place = read_settings(course).gradebook
    return place if "://" in place else str(course / Path(place).expanduser())


def course_roster(course: Path) -> Roster:
    """The course's roster; an empty one where it names none.

    Raises:
        CourseError: as `read_settings`.
        UsageError: the file is not there or at fault.
    """
    named = read_settings(course).roster
    return read_roster(course / named) if named else Roster()


def require(isolation: Isolation, course: Path, *, hides: bool, unisolated: bool) -> None:
    """Sees that submissions are shut in as strictly as the course and its hidden cases ask.

    Args:
        isolation: what can be had here.
        course: the course.
        hides: whether there are cases that a student must not see.
        unisolated: whether the instructor takes the risk for these.

    Raises:
        UsageError: they are not.
        CourseError: as `read_settings`.
    """
    asked = read_settings(course).isolation
    if _weaker(isolation.level, asked):
        raise UsageError(
            f"expected isolation level {asked} or stricter, got {isolation.level}"
            f"{_why(isolation)} @ {course / FILE} $.isolation; see: grader doctor"
        )
    within = [folder for folder in isolation.readable if course.resolve().is_relative_to(folder)]
    if hides and isolation.level != LEVELS[-1] and within:
        raise UsageError(
            f"expected a course that submissions can't read, got one in {within[0]}, which they "
            f"may, since Python's own files or libraries are there; move the course @ {course}"
        )
    if hides and not unisolated and _weaker(isolation.level, FOR_HIDDEN_CASES):
        raise UsageError(
            f"expected isolation level {FOR_HIDDEN_CASES} or stricter, since there are hidden "
            f"cases, got {isolation.level}{_why(isolation)}; grade on a machine that has it (see: "
            "grader doctor), or, if you trust every submission, pass --allow-unisolated"
        )


def _weaker(level: str, than: str) -> bool:
    return LEVELS.index(level) > LEVELS.index(than)


def _why(isolation: Isolation) -> str:
    told = "; ".join(f"{level}: {reason}" for level, reason in isolation.refused.items())
    return f" ({told})" if told else ""
