"""Rows of a downloaded sheet <-> students, and what each cell becomes.

Nobody is guessed: a row is a student's if the roster says so, or, where there is none, if it holds
the very name that the submission came under. What does not match is listed and left as it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.exports.marks import FinalMark
from grader.exports.sheet import Sheet
from grader.reports.legible import points_text, rounded_points, visible
from grader.roster import Identity, Roster, folded, letters, turned

NO_MARK = {
    "withheld": "the mark is withheld",
    "unreadable": "the submission can't be read",
    "pending": "a person has yet to mark a part",
    "missing": "nothing was handed in",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One student's row of a sheet."""

    index: int
    """Which row of the sheet."""
    who: Identity
    """Who it is, as the sheet says."""
    shown: str
    """Name to list it under."""
    fixed: str = ""
    """Why its cell must stay as it is; empty where it may change."""
    maximum: Fraction | None = None
    """Largest number that is taken there; None where every one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One cell that was filled in."""

    student: str
    """Name of the student."""
    before: str
    """What stood there."""
    after: str
    """What stands there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A sheet, filled in."""

    content: bytes
    """The sheet."""
    column: str
    """The column that was filled in."""
    changes: tuple[Change, ...]
    """Cells that are different now."""
    unchanged: int
    """Cells that already held the mark."""
    left: tuple[str, ...]
    """Marks and rows that found no place, or none to change, each with the reason."""


def filled(
    sheet: Sheet,
    column: int,
    rows: Sequence[Row],
    marks: Iterable[FinalMark],
    roster: Roster,
    *,
    scale: Fraction | None = None,
) -> Filled:
    """A sheet with marks in one column, and everything else as it was.

    Args:
        sheet: the sheet.
        column: which column.
        rows: its students.
        marks: the final marks.
        roster: who is who.
        scale: the maximum that marks are converted to; None writes points as they are.
    """
    by_student: dict[str, FinalMark] = {}
    twice: list[str] = []
    for mark in marks:
        if by_student.setdefault(visible(mark.student), mark) is not mark:
            twice.append(f"{mark.student}: a second mark under this name; it was not written")
    matched, left = _matched(rows, by_student, roster)
    left += twice
    changes: dict[tuple[int, int], str] = {}
    said: list[Change] = []
    unchanged = 0
    for row in rows:
        if row.index not in matched:
            continue
        mark = matched[row.index] if scale is None else matched[row.index].out_of(scale)
        before = sheet.rows[row.index][column].value
        reason = _reason(row, mark)
        if reason:
            kept = f"; the sheet keeps {before!r}" if before.strip() else ""
            left.append(f"{row.shown}: {reason}{kept}")
        elif mark.points is not None and _number(before) == rounded_points(mark.points):
            unchanged += 1
        elif mark.points is not None:
            after = points_text(mark.points)
            changes[row.index, column] = after
            said.append(Change(student=mark.student, before=before, after=after))
    found = {visible(mark.student) for mark in matched.values()}
    for name, mark in by_student.items():
        if name not in found and mark.why != "missing":
            left.append(f"{mark.student}: no row in the sheet is theirs; none was added")
    return Filled(
        content=sheet.filled(changes),
        column=sheet.header[column],
        changes=tuple(said),
        unchanged=unchanged,
        left=tuple(visible(line) for line in left),
    )


def _reason(row: Row, mark: FinalMark) -> str:
    """Why a cell stays as it is; "" where the mark can be written."""
    if row.fixed:
        return row.fixed
    if mark.points is None:
        return NO_MARK[mark.why]
    if mark.points < 0:
        return f"{points_text(mark.points)} is below 0"
    if row.maximum is not None and rounded_points(mark.points) > row.maximum:
        return (
            f"{points_text(mark.points)} is above the sheet's maximum {points_text(row.maximum)}, "
            "so the LMS would skip it"
        )
    return ""


def _matched(
    rows: Sequence[Row], marks: Mapping[str, FinalMark], roster: Roster
) -> tuple[dict[int, FinalMark], list[str]]:
    """The mark for each row that has one, and what is to be said of the others."""
    names = _Names(marks)
    students = {row.index: _student(row.who, names, roster) for row in rows}
    counts = Counter(students.values())
    matched: dict[int, FinalMark] = {}
    left: list[str] = []
    for row in rows:
        student = students[row.index]
        if student is None:
            left.append(f"{row.shown}: no mark is known for this row")
        elif counts[student] > 1:
            left.append(f"{row.shown}: another row is {student}'s too, so neither was filled in")
        else:
            matched[row.index] = marks[student]
    return matched, left


class _Names:
    """The names that marks came under, for rows that no roster knows."""

    def __init__(self, marks: Mapping[str, FinalMark]):
        self.all = frozenset(marks)
        self._by_name = _once([(folded(name), name) for name in marks])
        # What comes out of an LMS's download is called after the name and the number in its sheet.
        numbered = [(name.rpartition("_"), name) for name in marks]
        self._by_number = _once(
            [(f"{letters(stem)} {end}", name) for (stem, _, end), name in numbered if stem]
        )

    def find(self, who: Identity) -> str | None:
        """The name that a row stands for."""
        for number in (who.canvas_id, who.moodle_id):
            for stem in (who.name, who.key.removesuffix(number)):
                if number and (found := self._by_number.get(f"{letters(stem)} {number}")):
                    return found
        for name in (who.canvas_id, who.sis_id, who.key, who.email, who.name, turned(who.name)):
            if name and (found := self._by_name.get(folded(name))):
                return found
        return None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    counts = Counter(key for key, _ in pairs)
    return {key: value for key, value in pairs if counts[key] == 1}


def _student(who: Identity, names: _Names, roster: Roster) -> str | None:
    person = roster.person(who)
    if person is not None:
        student = visible(person.student)
        return student if student in names.all else None
    return names.find(who)


def _number(text: str) -> Fraction | None:
    """What a cell says, rounded as marks are; None where it is no number."""
    plain = text.strip().replace(",", ".", 1) if "." not in text else text.strip()
    try:
        return rounded_points(Fraction(plain))
    except (ValueError, ZeroDivisionError):
        return None
