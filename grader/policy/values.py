"""What a course says of dates, late work and extra points, as `course.yaml` writes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, TypeAdapter
from pydantic_core import PydanticCustomError

from grader.types import FORBID_UNKNOWN_KEYS

UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
SPAN = re.compile(r"(\d{1,6})\s*(minute|hour|day|week)s?")
SHARE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*%|(\d{1,6}(?:\.\d{1,6}|/[1-9]\d{0,5})?)")
Which = Literal["latest", "best", "before due"]


def _share(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value
    found = SHARE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not found:
        raise PydanticCustomError("share", "a share such as 10%, 0.1 or 1/10")
    return Fraction(found[1]) / 100 if found[1] else Fraction(found[2])


def _span(value: Any) -> Any:
    if isinstance(value, timedelta) or str(value).startswith("P"):
        return value
    found = SPAN.fullmatch(str(value).strip())
    if not found:
        raise PydanticCustomError("span", "a time such as 15 minutes, 1 hour or 2 days")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def _moment(value: Any) -> Any:
    """A date alone is the end of that day."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    except ValueError:
        value = None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(23, 59, 59))
    raise PydanticCustomError("moment", "a date, or a date and time such as 2026-10-01 23:59")


Share = Annotated[Fraction, BeforeValidator(_share)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """What being late costs."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    takes: Share
    """Share that each day or hour which has begun takes off."""
    per: Literal["day", "hour"] = "day"
    """What is counted, from the due date on."""
    of: Literal["earned", "possible"] = "earned"
    """What it is a share of."""
    grace: Span = timedelta(0)
    """How late nothing is taken off; who is later than that is late from the due date on."""
    at_most: Share = Fraction(1)
    """The most that is taken off, as a share."""

    def share(self, late: timedelta) -> Fraction:
        """What is taken off for being late by some time, as a share."""
        if late <= max(self.grace, timedelta(0)):
            return Fraction(0)
        unit = timedelta(days=1) if self.per == "day" else timedelta(hours=1)
        begun = -(-late // unit)
        return min(self.takes * begun, self.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """What `course.yaml` says of one assignment; what it does not say is the course's."""

    __pydantic_config__ = FORBID_UNKNOWN_KEYS
    due: Moment | None = None
    """When it is due."""
    late: LateRule | None = None
    """What being late costs."""
    attempts: Which | None = None
    """Which of several attempts counts."""
    extra_credit: Share | None = None
    """The most that extra points add beyond the possible ones, as a share of these."""
    extensions: Mapping[str, Moment] = field(default_factory=dict)
    """Later due dates, by student."""
    waivers: Mapping[str, str] = field(default_factory=dict)
    """Students from whom nothing is taken off, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a course says of one assignment's dates."""

    due: datetime | None = None
    """When it is due, with its time zone; None where it never is."""
    late: LateRule | None = None
    """What being late costs; nothing where there is no rule."""
    attempts: Which = "latest"
    """Which of several attempts counts: the last, that with the most points after what is taken
    off, or the last that was handed in in time."""
    extra_credit: Share | None = None
    """The most that extra points add beyond the possible ones, as a share of these; None: all."""
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    """Later due dates, by student."""
    waivers: Mapping[str, str] = field(default_factory=dict)
    """Students from whom nothing is taken off, each with the reason."""

    def due_for(self, student: str) -> datetime | None:
        """When it is due for one student."""
        return self.extensions.get(student, self.due)


POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
"""Writes a policy as JSON, and reads it."""
