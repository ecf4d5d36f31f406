"""The gradebook's tables, as the newest migration leaves them.

basis         what marks rest on, by content: a digest for each part, and what it is made of
submission    the files that were handed in, by content
attempt       who handed in what, and when: append-only
observation   what running a submission showed, by run key
grade         what that was worth, by score key: append-only; of a submission the last
mark          what a person has decided, with who, when and why: append-only; the last
"""

import json
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0001"
"""The newest migration."""

ESCAPED = "json:"
"""Before a text that no database takes as it is."""


class Name(TypeDecorator[str]):
    """A name as a file system or an LMS gives it: it may hold bytes that are no text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """As it is where it can be written down, else spelt out."""
        if value is None or not (value.startswith(ESCAPED) or "\0" in value or _odd(value)):
            return value
        return ESCAPED + json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """The name as it was."""
        if value is None or not value.startswith(ESCAPED):
            return value
        return str(json.loads(value.removeprefix(ESCAPED)))


def _odd(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BASIS = Table(
    "basis",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("parts", Text, nullable=False),
)
SUBMISSION = Table(
    "submission",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("files", LargeBinary, nullable=False),
)
ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("student", Name, nullable=False),
    Column("submission", String(64), ForeignKey("submission.digest"), nullable=False),
    Column("submitted_at", String(40)),
    Column("seen_at", String(40), nullable=False),
    Column("path", Name, nullable=False),
    Index("ix_attempt_whose", "assignment", "student", "id"),
)
OBSERVATION = Table(
    "observation",
    METADATA,
    Column("run_key", String(64), primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("seen", LargeBinary, nullable=False),
    Index("ix_observation_assignment", "assignment"),
)
GRADE = Table(
    "grade",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("student", Name, nullable=False),
    Column("submission", String(64), ForeignKey("submission.digest"), nullable=False),
    Column("run_key", String(64), nullable=False),
    Column("score_key", String(64), nullable=False),
    Column("basis", String(64), ForeignKey("basis.key"), nullable=False),
    Column("status", String(20), nullable=False),
    Column("earned", String(80)),
    Column("possible", String(80), nullable=False),
    Column("pending", String(80), nullable=False),
    Column("criteria", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
    Index("ix_grade_whose", "assignment", "student", "submission", "id"),
)
MARK = Table(
    "mark",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("assignment", Text, nullable=False),
    Column("student", Name, nullable=False),
    Column("criterion", Text, nullable=False),
    Column("points", String(80)),
    Column("who", Name, nullable=False),
    Column("why", Name, nullable=False),
    Column("submission", String(64), nullable=False),
    Column("made_at", String(40), nullable=False),
    Index("ix_mark_whose", "assignment", "student", "criterion", "id"),
)
