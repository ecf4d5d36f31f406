"""What the gradebook holds, row by row, as values."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from pydantic import TypeAdapter

from grader.types import (
    CriterionResult,
    Observation,
    Status,
    Submission,
    SubmittedFile,
    Text,
    Verdict,
)

NO_TITLE = Text(en="", ko="")


fraction = lru_cache(maxsize=4096)(Fraction)
"""The fraction that a text stands for: a class has few different ones, and reading one is slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """Something that was handed in."""

    student: str
    """Name of the student."""
    submission: str
    """Digest of its files."""
    submitted_at: datetime | None
    """When it was handed in; None where nobody knows."""
    seen_at: datetime
    """When it was first graded."""
    path: str
    """Where it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRow:
    """What one submission was worth under one score key."""

    student: str
    """Name of the student."""
    submission: str
    """Digest of its files."""
    run_key: str
    """Content key of what was observed."""
    score_key: str
    """Content key of what that is worth."""
    basis: str
    """Key of what both rest on."""
    status: Status
    """Where it stands."""
    earned: Fraction | None
    """Points earned, before marks by hand and the late policy; None where there is no mark."""
    possible: Fraction
    """Points that could be earned, without pending ones and without bonus."""
    pending: Fraction
    """Points that a person has to mark."""
    criteria: tuple[CriterionResult, ...] = ()
    """Verdict and points of each criterion, without words and evidence."""
    made_at: datetime | None = None
    """When it was written; None until it is."""

    def same(self, other: "GradeRow | None") -> bool:
        """Whether another row says the same."""
        return other is not None and _told(self) == _told(other)


def _told(row: GradeRow) -> tuple[object, ...]:
    return (row.score_key, row.status, row.earned, row.possible, row.pending, row.criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRow:
    """What a person has decided."""

    student: str
    """Name of the student."""
    criterion: str
    """Id of the criterion; empty where it is the whole mark."""
    points: Fraction | None
    """Points; None takes back what was decided before."""
    who: str
    """Who decided it."""
    why: str
    """Why, as the student reads it."""
    submission: str
    """Digest of the submission that was looked at; empty where there was none."""
    made_at: datetime | None = None
    """When; None until it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the coordinator writes at once for one submission."""

    submission: Submission
    """What was handed in."""
    row: GradeRow
    """What it is worth."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What its basis is made of."""
    seen: Observation | None = None
    """What it showed, where that is not in the gradebook yet."""
    handed_in: bool = True
    """Whether it has been handed in now; not where an earlier attempt is graded again."""


def criteria_facts(criteria: tuple[CriterionResult, ...]) -> list[list[object]]:
    """Verdict and points of each criterion, as JSON."""
    return [
        [each.id, each.verdict, str(each.earned), str(each.points), each.bonus] for each in criteria
    ]


def criteria_of(facts: list[list[object]]) -> tuple[CriterionResult, ...]:
    """The criteria in what `criteria_facts` has made."""
    return tuple(
        CriterionResult(
            id=str(name),
            title=NO_TITLE,
            verdict=None if verdict is None else Verdict(str(verdict)),
            earned=fraction(str(earned)),
            points=fraction(str(points)),
            bonus=bool(bonus),
        )
        for name, verdict, earned, points, bonus in facts
    )


def bare(results: tuple[CriterionResult, ...]) -> tuple[CriterionResult, ...]:
    """Criteria without words and evidence."""
    return tuple(
        CriterionResult(
            id=each.id,
            title=NO_TITLE,
            verdict=each.verdict,
            earned=each.earned,
            points=each.points,
            bonus=each.bonus,
        )
        for each in results
    )


def packed(files: Sequence[SubmittedFile]) -> bytes:
    """Files in one piece: for each its name and size as JSON, a line each, then their bytes."""
    heads = json.dumps([[each.name, len(each.content)] for each in files]).encode()
    return zlib.compress(heads + b"\n" + b"".join(each.content for each in files), 6)


def unpacked(packed: bytes) -> tuple[SubmittedFile, ...]:
    """The files in what `packed` has made."""
    heads, _, rest = zlib.decompress(packed).partition(b"\n")
    files, at = [], 0
    for name, size in json.loads(heads):
        files.append(SubmittedFile(name=name, content=rest[at : at + size]))
        at += size
    return tuple(files)


OBSERVED: TypeAdapter[Observation] = TypeAdapter(Observation)


def dumped(seen: Observation) -> bytes:
    """An observation as JSON, with NaN and infinities: wrong answers hold them."""
    return json.dumps(OBSERVED.dump_python(seen), default=str).encode()


def observation(kept: bytes | str) -> Observation:
    """An observation from such JSON; names in it may hold what is no text."""
    return OBSERVED.validate_python(json.loads(kept))


def as_kept(seen: Observation) -> Observation:
    """An observation as it comes out of a gradebook, so that a second look finds the same."""
    return observation(dumped(seen))
