"""What people decide: manual criteria and overrides, one by one or from a sheet."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grader.errors import UsageError
from grader.gradebook import Gradebook, MarkRow
from grader.reports.legible import no_formula, points_text
from grader.rubric import NUMBER
from grader.standing import WHOLE, Pages, read_pages
from grader.types import Criterion, Rubric, Status, SubmittedFile

TOTAL = "total"
"""What the whole mark is called where a criterion is named."""
COLUMNS = ("student", "criterion", "title", "levels", "points", "why", "file", "code")
"""Columns of a sheet; `student`, `criterion` and `points` are read back, and `why`."""
MOST_CODE = 30_000
"""Characters of a student's code in a cell: spreadsheet programs take 32,767."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A criterion of a student that a person has yet to mark."""

    student: str
    """Name of the student."""
    criterion: Criterion
    """The criterion."""
    submission: str
    """Digest of what was handed in last."""


def waiting(pages: Pages, rubric: Rubric) -> tuple[Waiting, ...]:
    """What still waits, student by student."""
    manual = [criterion for criterion in rubric.criteria if criterion.manual]
    gone = {void.criterion for void in rubric.void}
    return tuple(
        Waiting(student=student, criterion=criterion, submission=row.submission)
        for student in pages.students
        for row in [pages.rows.get((student, pages.attempts[student][-1].submission))]
        if row is not None and row.status in (Status.GRADED, Status.WITHHELD)
        for criterion in manual
        if criterion.id not in gone and criterion.id not in pages.marks.get(student, {})
    )


def decided(
    pages: Pages, rubric: Rubric, student: str, criterion: str, points: str, who: str, why: str
) -> MarkRow:
    """What a person has decided, once it makes sense.

    Args:
        pages: what the gradebook holds.
        rubric: the assignment's.
        student: name of the student.
        criterion: id of a criterion, or "total".
        points: a number or a fraction; "none" takes back what was decided before.
        who: who decides.
        why: why, as the student reads it.

    Raises:
        UsageError: no such student or criterion, or points that it does not have.
    """
    own = pages.attempts.get(student)
    if not own:
        raise UsageError(
            f"expected a student who has handed in {rubric.assignment}, got {student!r}; "
            f"graded so far: {len(pages.attempts)}"
        )
    known = {each.id: each for each in rubric.criteria}
    if criterion not in known and criterion != TOTAL:
        listed = ", ".join([*known, TOTAL])
        raise UsageError(f"expected a criterion ({listed}), got {criterion!r}")
    named = known.get(criterion)
    return MarkRow(
        student=student,
        criterion=WHOLE if named is None else criterion,
        points=None if points.strip() == "none" else _points(points, named),
        who=who,
        why=why,
        submission=own[-1].submission,
    )


def _points(text: str, criterion: Criterion | None) -> Fraction:
    try:
        points = Fraction(text.strip()) if NUMBER.fullmatch(text.strip()) else None
    except ZeroDivisionError:
        points = None
    if points is None or points < 0:
        raise UsageError(f"expected points (a number from 0 on, or none), got {text!r}")
    if criterion is None:
        return points
    if criterion.manual and points not in criterion.manual:
        levels = ", ".join(points_text(level) for level in sorted(criterion.manual))
        raise UsageError(f"expected one of {levels} for {criterion.id!r}, got {text!r}")
    if points > criterion.points:
        most = points_text(criterion.points)
        raise UsageError(f"expected at most {most} points for {criterion.id!r}, got {text!r}")
    return points


def sheet(pages: Pages, rubric: Rubric, book: Gradebook) -> str:
    """What waits, as CSV, each row with the student's code beside it."""
    rows = waiting(pages, rubric)
    files = book.files({each.submission for each in rows})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in rows:
        levels = "; ".join(
            f"{points_text(level)}: {said.en}" for level, said in each.criterion.manual.items()
        )
        names = ", ".join(file.name for file in files[each.submission])
        code = "\n".join(map(_code, files[each.submission]))[:MOST_CODE]
        listed = (each.student, each.criterion.id, each.criterion.title.en, levels, "", "", names)
        writer.writerow([no_formula(cell) for cell in (*listed, code)])
    return "\ufeff" + text.getvalue()


def _code(file: SubmittedFile) -> str:
    """A module as it is; of a notebook the code cells."""
    text = file.content.decode("utf-8", "replace")
    if not file.name.endswith(".ipynb"):
        return text
    try:
        cells = json.loads(text)["cells"]
        told = [each["source"] for each in cells if each["cell_type"] == "code"]
        return "\n\n".join("".join(each) for each in told)
    except (ValueError, KeyError, TypeError, RecursionError):
        return text


def from_sheet(
    path: Path, pages: Pages, rubric: Rubric, who: str
) -> tuple[tuple[MarkRow, ...], int]:
    """What a sheet says, and how many rows it leaves open; all rows make sense, or none is taken.

    Raises:
        UsageError: it can't be read, lacks a column, or a row makes no sense, with its number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"expected a sheet (CSV in UTF-8), got {error} @ {path}") from error
    found, problems, open_rows = [], [], 0
    for number, row in _rows(text, path):
        if not (row["points"] or "").strip():
            open_rows += 1
            continue
        try:
            student, criterion = (_as_written(row[name] or "") for name in COLUMNS[:2])
            why = _as_written(row.get("why") or "")
            points = row["points"] or ""
            found.append(decided(pages, rubric, student, criterion, points, who, why))
        except UsageError as error:
            problems.append(f"{error} @ {path} line {number}")
    if problems:
        raise UsageError("\n".join([*problems, "nothing was written; mend these rows"]))
    return tuple(found), open_rows


def _rows(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [
            name for name in (*COLUMNS[:2], "points") if name not in (reader.fieldnames or ())
        ]
        if missing:
            raise UsageError(f"expected the column {missing[0]!r}, got none @ {path}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"expected CSV, got {error} @ {path} line {reader.line_num}") from error


def _as_written(cell: str) -> str:
    """A cell without the mark that keeps it from being a formula."""
    return cell[1:] if cell.startswith("'") and no_formula(cell[1:]) == cell else cell


def decide(
    book: Gradebook, assignment: str, marks: Sequence[MarkRow], pages: Pages
) -> tuple[Pages, int]:
    """Writes what is news among some decisions; the pages then, and how many were written."""
    news = [mark for mark in marks if not _known(mark, pages)]
    if news:
        book.decide(assignment, news)
    return read_pages(book, assignment), len(news)


def _known(mark: MarkRow, pages: Pages) -> bool:
    """Whether the same is in force already: a sheet that is read twice changes nothing."""
    now = pages.marks.get(mark.student, {}).get(mark.criterion)
    if now is None:
        return mark.points is None
    return (now.points, now.why, now.submission) == (mark.points, mark.why, mark.submission)
