"""What a course asks of the machine that grades it: `course.yaml`, where there is one.

isolation: A      # the weakest level at which submissions may be run
wheel: https://example.org/sequence_grader-0.1.0-py3-none-any.whl   # what students install
bundles: https://example.org/{assignment}.zip                       # where their folders are
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from grader.errors import CourseError, UsageError
from grader.rubric import read_yaml, refusal
from grader.sandbox.warm import Isolation
from grader.types import FORBID_UNKNOWN_KEYS

FILE = "course.yaml"
LEVELS = ("A", "B", "E")
"""From the strictest."""
FOR_HIDDEN_CASES = "B"
"""The weakest level at which code that is not trusted meets what a student must not see."""
ADDRESS = r"^((https?|file)://[^\s\"'\\]+)?$"
"""An address that can stand in a notebook's code as it is, or nothing."""
BUNDLES = r"^((https?|file)://[^\s\"'\\]*\{assignment\}[^\s\"'\\]*\.zip)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `course.yaml` says."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS

    isolation: Literal["A", "B", "E"] = "E"
    """The weakest level of isolation at which its submissions may be run."""
    wheel: Annotated[str, Field(pattern=ADDRESS)] = ""
    """Address of the engine's wheel, for students' notebooks and requirements."""
    bundles: Annotated[str, Field(pattern=BUNDLES)] = ""
    """Address of an assignment's folder as a zip, in which {assignment} stands for its name."""


SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def read_settings(course: Path) -> Settings:
    """The settings of a course; the defaults where it has no file of them.

    Raises:
        CourseError: the file is no YAML, or holds a key or a value that is not known.
    """
    path = course / FILE
    if not path.exists():
        return Settings()
    try:
        return SETTINGS.validate_python(read_yaml(path, "the course's settings") or {})
    except ValidationError as error:
        keys = Settings.__dataclass_fields__
        raise CourseError(refusal(error, str(path), keys)) from error


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
