"""The gradebook: what was handed in, what it showed, what it was worth, and who decided what.

Rows are only ever added. One coordinator writes, and what it writes at once is all there or not.
    opening   a path or URL -> a database with its tables    tables   which they are
    rows      what they hold, as values
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from grader.errors import EngineError
from grader.gradebook.opening import engine_at, refusal, writing
from grader.gradebook.rows import (
    AttemptRow,
    Entry,
    GradeRow,
    MarkRow,
    as_kept,
    bare,
    criteria_facts,
    criteria_of,
    dumped,
    fraction,
    observation,
    packed,
    unpacked,
)
from grader.gradebook.tables import ATTEMPT, BASIS, GRADE, MARK, OBSERVATION, SUBMISSION
from grader.sandbox.stopwatch import stage
from grader.types import Observation, Status, SubmittedFile

__all__ = ["AttemptRow", "Entry", "GradeRow", "Gradebook", "MarkRow", "as_kept", "bare"]

MOST_ASKED = 500
"""Keys in one question."""


class Gradebook:
    """A gradebook that is open.

    Args:
        place: a path, or the URL of a database.

    Raises:
        UsageError: it can't be opened.
        EngineError: from every method: the database fails; what is in it is whole.
    """

    def __init__(self, place: str | Path):
        self._engine = engine_at(place)
        self.shown = self._engine.url.render_as_string()
        database = self._engine.url.database or ""
        self._file = Path(database) if self._engine.dialect.name == "sqlite" else None
        self._inode = self._file.stat().st_ino if self._file else 0

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def __enter__(self) -> "Gradebook":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing ------------------------------------------------------------------------------

    @stage("gradebook")
    def record(self, assignment: str, entries: Sequence[Entry], *, again: bool = False) -> int:
        """Writes some submissions with their grades, in one transaction: all of it or nothing.

        What is known already is not written again; a grade is added only where it says something
        else than the last one of the same submission.

        Args:
            assignment: name of the assignment.
            entries: what to write.
            again: put what was seen now in the place of what was seen before.

        Returns:
            How many grades were added.
        """
        now = _now()
        whose = {entry.submission.student for entry in entries}
        with self._writing() as connection:
            _add_missing(
                connection,
                BASIS.c.key,
                {e.row.basis: {"key": e.row.basis, "parts": _json(e.parts)} for e in entries},
            )
            _add_missing(
                connection,
                SUBMISSION.c.digest,
                {
                    e.row.submission: {"digest": e.row.submission, "files": e.submission.files}
                    for e in entries
                },
                files=packed,
            )
            seen = _seen_values(assignment, entries, now)
            if again and seen:
                connection.execute(delete(OBSERVATION).where(OBSERVATION.c.run_key.in_(seen)))
            _add_missing(connection, OBSERVATION.c.run_key, seen)
            last = {row.student: row for row in _attempts(connection, assignment, whose)}
            attempts = []
            for entry in entries:
                if _is_news(entry, last.get(entry.submission.student)):
                    attempts.append(_attempt_values(assignment, entry, now))
            _add(connection, ATTEMPT, attempts)
            kept = _latest(_grades(connection, assignment, whose))
            added = [
                _grade_values(assignment, entry.row, now)
                for entry in entries
                if not entry.row.same(kept.get((entry.row.student, entry.row.submission)))
            ]
            _add(connection, GRADE, added)
        return len(added)

    def decide(self, assignment: str, marks: Sequence[MarkRow]) -> None:
        """Writes what a person has decided, in one transaction."""
        now = _now()
        values = [
            {
                "assignment": assignment,
                "student": mark.student,
                "criterion": mark.criterion,
                "points": None if mark.points is None else str(mark.points),
                "who": mark.who,
                "why": mark.why,
                "submission": mark.submission,
                "made_at": now,
            }
            for mark in marks
        ]
        with self._writing() as connection:
            _add(connection, MARK, values)

    # -- reading ------------------------------------------------------------------------------

    def assignments(self) -> tuple[str, ...]:
        """Names of the assignments of which something was handed in."""
        with self._reading() as connection:
            rows = connection.execute(select(ATTEMPT.c.assignment).distinct())
            return tuple(sorted(row.assignment for row in rows))

    def attempts(self, assignment: str, student: str | None = None) -> tuple[AttemptRow, ...]:
        """What was handed in, in that order."""
        with self._reading() as connection:
            return tuple(_attempts(connection, assignment, {student} if student else None))

    def grades(self, assignment: str, student: str | None = None) -> tuple[GradeRow, ...]:
        """Every grade that was given, in that order."""
        with self._reading() as connection:
            return tuple(_grades(connection, assignment, {student} if student else None))

    def latest(self, assignment: str) -> dict[tuple[str, str], GradeRow]:
        """The last grade of each submission, by student and digest."""
        last = select(func.max(GRADE.c.id)).where(GRADE.c.assignment == assignment)
        last = last.group_by(GRADE.c.student, GRADE.c.submission)
        with self._reading() as connection:
            rows = connection.execute(select(GRADE).where(GRADE.c.id.in_(last)))
            return _latest(map(_grade, rows))

    def marks(self, assignment: str, student: str | None = None) -> tuple[MarkRow, ...]:
        """Everything that a person has decided, in that order."""
        asked = select(MARK).where(MARK.c.assignment == assignment).order_by(MARK.c.id)
        if student is not None:
            asked = asked.where(MARK.c.student == student)
        with self._reading() as connection:
            return tuple(map(_mark, connection.execute(asked)))

    def observed(self, assignment: str) -> frozenset[str]:
        """Run keys of what has been observed."""
        asked = select(OBSERVATION.c.run_key).where(OBSERVATION.c.assignment == assignment)
        with self._reading() as connection:
            return frozenset(row.run_key for row in connection.execute(asked))

    def observations(self, keys: Iterable[str]) -> dict[str, Observation]:
        """What submissions showed, by run key; nothing for a key that is not known."""
        asked = select(OBSERVATION.c.run_key, OBSERVATION.c.seen)
        with self._reading() as connection:
            return {
                row.run_key: observation(zlib.decompress(row.seen))
                for row in _in(connection, asked, OBSERVATION.c.run_key, keys)
            }

    def files(self, digests: Iterable[str]) -> dict[str, tuple[SubmittedFile, ...]]:
        """The files of submissions, by digest."""
        with self._reading() as connection:
            return {
                row.digest: unpacked(row.files)
                for row in _in(connection, select(SUBMISSION), SUBMISSION.c.digest, digests)
            }

    def parts(self, keys: Iterable[str]) -> dict[str, dict[str, str]]:
        """What bases are made of, by key."""
        with self._reading() as connection:
            return {
                row.key: json.loads(row.parts)
                for row in _in(connection, select(BASIS), BASIS.c.key, keys)
            }

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._told():
            self._still_there()
            with writing(self._engine) as connection:
                yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise refusal(error, self.shown) from error

    def _still_there(self) -> None:
        """Sees that the file has not been removed: writing to what is left of it loses it all."""
        try:
            if self._file is None or self._file.stat().st_ino == self._inode:
                return
        except OSError:
            pass
        raise EngineError(
            f"expected the gradebook, got another file or none @ {self._file}; what was graded "
            "until then went with it: put it back, or run the same command again"
        )


# -- rows <-> values --------------------------------------------------------------------------


def _add(connection: Connection, table: Any, values: Sequence[Mapping[str, Any]]) -> None:
    if values:
        connection.execute(insert(table), list(values))


def _add_missing(
    connection: Connection, key: Any, values: Mapping[str, dict[str, Any]], **made: Any
) -> None:
    """Adds the rows whose key is not there; `made` says how a costly column is made."""
    there = {getattr(row, key.name) for row in _in(connection, select(key), key, values)}
    missing = [row for name, row in values.items() if name not in there]
    for column, make in made.items():
        missing = [{**row, column: make(row[column])} for row in missing]
    _add(connection, key.table, missing)


def _in(
    connection: Connection, asked: Select[Any], key: Any, values: Iterable[str]
) -> Iterator[Row[Any]]:
    listed = list(values)
    for start in range(0, len(listed), MOST_ASKED):
        yield from connection.execute(asked.where(key.in_(listed[start : start + MOST_ASKED])))


def _attempts(
    connection: Connection, assignment: str, whose: Iterable[str | None] | None
) -> Iterator[AttemptRow]:
    asked = select(ATTEMPT).where(ATTEMPT.c.assignment == assignment).order_by(ATTEMPT.c.id)
    for row in _of(connection, asked, ATTEMPT.c.student, whose):
        yield AttemptRow(
            student=row.student,
            submission=row.submission,
            submitted_at=row.submitted_at and datetime.fromisoformat(row.submitted_at),
            seen_at=datetime.fromisoformat(row.seen_at),
            path=row.path,
        )


def _grades(
    connection: Connection, assignment: str, whose: Iterable[str | None] | None
) -> Iterator[GradeRow]:
    asked = select(GRADE).where(GRADE.c.assignment == assignment).order_by(GRADE.c.id)
    yield from map(_grade, _of(connection, asked, GRADE.c.student, whose))


def _of(
    connection: Connection, asked: Select[Any], column: Any, whose: Iterable[str | None] | None
) -> Iterable[Row[Any]]:
    """The rows of some students; of everybody where they are many, which is one question then."""
    listed = None if whose is None else list(whose)
    if listed is None or len(listed) > MOST_ASKED:
        return connection.execute(asked)
    return connection.execute(asked.where(column.in_(listed)))


def _latest(rows: Iterable[GradeRow]) -> dict[tuple[str, str], GradeRow]:
    return {(row.student, row.submission): row for row in rows}


def _grade(row: Row[Any]) -> GradeRow:
    return GradeRow(
        student=row.student,
        submission=row.submission,
        run_key=row.run_key,
        score_key=row.score_key,
        basis=row.basis,
        status=Status(row.status),
        earned=None if row.earned is None else fraction(row.earned),
        possible=fraction(row.possible),
        pending=fraction(row.pending),
        criteria=criteria_of(json.loads(row.criteria)),
        made_at=datetime.fromisoformat(row.made_at),
    )


def _grade_values(assignment: str, row: GradeRow, now: str) -> dict[str, Any]:
    return {
        "assignment": assignment,
        "student": row.student,
        "submission": row.submission,
        "run_key": row.run_key,
        "score_key": row.score_key,
        "basis": row.basis,
        "status": row.status.value,
        "earned": None if row.earned is None else str(row.earned),
        "possible": str(row.possible),
        "pending": str(row.pending),
        "criteria": json.dumps(criteria_facts(row.criteria)),
        "made_at": now,
    }


def _seen_values(assignment: str, entries: Iterable[Entry], now: str) -> dict[str, dict[str, Any]]:
    return {
        entry.row.run_key: {
            "run_key": entry.row.run_key,
            "assignment": assignment,
            "made_at": now,
            "seen": zlib.compress(dumped(entry.seen), 1),
        }
        for entry in entries
        if entry.seen is not None
    }


def _is_news(entry: Entry, last: AttemptRow | None) -> bool:
    """Whether something else was handed in than last time, or the time has become known."""
    if not entry.handed_in:
        return False
    if last is None or last.submission != entry.row.submission:
        return True
    time = entry.submission.submitted_at
    return time is not None and time != last.submitted_at


def _attempt_values(assignment: str, entry: Entry, now: str) -> dict[str, Any]:
    handed = entry.submission
    submitted = handed.submitted_at
    return {
        "assignment": assignment,
        "student": handed.student,
        "submission": entry.row.submission,
        "submitted_at": submitted.astimezone(UTC).isoformat() if submitted else None,
        "seen_at": now,
        "path": handed.path,
    }


def _mark(row: Row[Any]) -> MarkRow:
    return MarkRow(
        student=row.student,
        criterion=row.criterion,
        points=None if row.points is None else Fraction(row.points),
        who=row.who,
        why=row.why,
        submission=row.submission,
        made_at=datetime.fromisoformat(row.made_at),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _json(parts: Mapping[str, str]) -> str:
    return json.dumps(dict(parts), sort_keys=True, ensure_ascii=False)
