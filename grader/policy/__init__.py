"""When a submission was due, what being late costs, and which attempt counts: pure arithmetic.

All in Fractions, and rounded in one place, when a number is written: half up to two decimals.
In this order: the points that were earned, with marks by hand; extra points up to what the course
lets them add; what is taken off for being late; an override, which is the last word.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from grader.policy.values import POLICY, Dates, LateRule, Policy, Share, Which
from grader.types import Note, Status

__all__ = [
    "POLICY",
    "Attempt",
    "Dates",
    "LateRule",
    "Outcome",
    "Override",
    "Policy",
    "Share",
    "Which",
    "lateness",
    "outcome",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One thing that was handed in, marked, before the policy."""

    submission: str
    """Digest of its files."""
    submitted_at: datetime | None
    """When it was handed in; None where nobody knows, which counts as in time."""
    status: Status
    """Where it stands."""
    earned: Fraction | None
    """Points, with marks by hand; None where there are none."""
    extra: Fraction
    """How many of them are extra."""
    possible: Fraction
    """Points that could be earned so far, without extra ones."""
    pending: Fraction
    """Points that a person has yet to mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A mark that a person has set."""

    points: Fraction
    """The points."""
    why: str
    """The reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the policy makes of a student's attempts."""

    attempt: Attempt
    """The attempt that counts, or the last where none does."""
    earned: Fraction | None
    """Points after everything; None where there is no mark."""
    notes: tuple[Note, ...] = ()
    """What was done, step by step."""


def outcome(
    student: str, attempts: Sequence[Attempt], policy: Policy, override: Override | None = None
) -> Outcome:
    """What a student gets.

    Args:
        student: name of the student.
        attempts: everything that was handed in, in that order; at least one.
        policy: the course's.
        override: the mark that a person has set, which is the last word.
    """
    counting = [
        index
        for index, attempt in enumerate(attempts)
        if policy.attempts != "before due" or not _late(student, attempt, policy)
    ]
    marked = {index: _after(student, attempts[index], policy) for index in counting}
    if not counting:
        chosen, told = len(attempts) - 1, Outcome(attempt=attempts[-1], earned=None)
        told = replace(told, notes=(Note(code="policy.none_counts"),))
    else:
        chosen = counting[-1]
        if policy.attempts == "best":
            chosen = max(counting, key=lambda index: (_worth(marked[index]), index))
        told = marked[chosen]
        if len(attempts) > 1:
            facts = {"number": chosen + 1, "total": len(attempts)}
            note = Note(code="policy.attempt", facts=facts)
            told = replace(told, notes=(note, *told.notes))
    if override is not None:
        words = {"earned": _number(override.points), "why": override.why}
        note = Note(code="policy.override", facts=words)
        told = replace(told, earned=override.points, notes=(*told.notes, note))
    return told


def _worth(told: Outcome) -> Fraction:
    return Fraction(-1) if told.earned is None else told.earned


def _late(student: str, attempt: Attempt, policy: Policy) -> bool:
    grace = policy.late.grace if policy.late else timedelta(0)
    return lateness(student, attempt, policy) > grace


def lateness(student: str, attempt: Attempt, policy: Policy) -> timedelta:
    """How late an attempt was; nothing where nobody knows."""
    due = policy.due_for(student)
    if due is None or attempt.submitted_at is None:
        return timedelta(0)
    return max(attempt.submitted_at - due, timedelta(0))


def _after(student: str, attempt: Attempt, policy: Policy) -> Outcome:
    """One attempt, after extra points are bounded and lateness is paid for."""
    if attempt.earned is None:
        return Outcome(attempt=attempt, earned=None)
    notes = []
    earned = attempt.earned
    if policy.extra_credit is not None and attempt.extra:
        most = attempt.possible * (1 + policy.extra_credit)
        if earned > most:
            facts = {"most": _percent(policy.extra_credit), "taken": _number(earned - most)}
            notes.append(Note(code="policy.bonus", facts=facts))
            earned = most
    late = lateness(student, attempt, policy)
    share = policy.late.share(late) if policy.late else Fraction(0)
    if share and student in policy.waivers:
        facts = {"late": _duration(late), "why": policy.waivers[student]}
        notes.append(Note(code="policy.waived", facts=facts))
    elif share and policy.late is not None:
        base = earned if policy.late.of == "earned" else attempt.possible
        taken = min(max(earned, Fraction(0)), share * base)
        earned -= taken
        left = _number(earned)
        facts = {"late": _duration(late), "taken": _number(taken), "left": left}
        notes.append(Note(code="policy.late", facts=facts))
    return Outcome(attempt=attempt, earned=earned, notes=tuple(notes))


def _duration(late: timedelta) -> dict[str, str]:
    """How late, in words: of two units at most, the last one begun."""
    minutes = math.ceil(late / timedelta(minutes=1))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d", "일"), (hours, "h", "시간"), (minutes, "min", "분")]
    said = [each for each in parts if each[0]][:2]
    return {
        "en": " ".join(f"{number} {unit}" for number, unit, _ in said),
        "ko": " ".join(f"{number}{unit}" for number, _, unit in said),
    }


def _number(points: Fraction) -> float:
    return float(round(points, 6))


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):g}%"
