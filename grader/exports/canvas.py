"""Canvas: the gradebook that was exported there, with one assignment's column filled in.

What Canvas does with such a file is said in its own source, lib/gradebook_importer.rb: the column
of an assignment is called "Title (id)", and a column that it does not know becomes a new
assignment; students are found by ID, then by SIS ID and login, then by name, and who is not found
becomes a new student. So no column and no row is ever added here.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from grader.errors import UsageError
from grader.exports.marks import FinalMark
from grader.exports.matching import Filled, Row, filled
from grader.exports.sheet import Sheet, read_sheet
from grader.roster import Identity, Roster, folded

STUDENT = ("Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account")
KEEP = {"EX": "excused in Canvas", "N/A": "not assigned to this student in Canvas"}
_ASSIGNMENT = re.compile(r"(.*)\s\((\d+)\)", re.DOTALL)
_NO_STUDENT = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_READ_ONLY = re.compile(r"read\s+only")


def fill_canvas(
    path: Path,
    titles: tuple[str, ...],
    marks: Iterable[FinalMark],
    roster: Roster,
    *,
    column: str | None = None,
    scale: bool = False,
) -> Filled:
    """The exported gradebook with marks in the assignment's column.

    Args:
        path: the CSV that Canvas exported.
        titles: what the assignment may be called there.
        marks: the final marks.
        roster: who is who.
        column: the column's heading, or the number in it, where no title tells.
        scale: convert to the points possible that the sheet states.

    Raises:
        UsageError: it is no gradebook of Canvas's, or the column can't be told.
    """
    sheet = read_sheet(path, ("ID", "Section"))
    if "Student" not in sheet.header and sheet.header[0] != "LastName":
        raise UsageError(
            f"expected a gradebook that Canvas exported, which begins with Student, got "
            f"{sheet.header[0]!r} @ {path} line 1"
        )
    at = _column(sheet, titles, column)
    possible = _possible(sheet, at)
    if scale and possible is None:
        raise UsageError(
            f"expected a row Points Possible with a number in {sheet.header[at]!r}, got none @ "
            f"{path}; leave --scale out"
        )
    return filled(
        sheet, at, tuple(_rows(sheet, at)), marks, roster, scale=possible if scale else None
    )


def _column(sheet: Sheet, titles: tuple[str, ...], asked: str | None) -> int:
    found: dict[int, re.Match[str]] = {
        index: match
        for index, name in enumerate(sheet.header)
        if (match := _ASSIGNMENT.fullmatch(name))
    }
    wanted = (asked,) if asked else titles
    fitting = [
        index
        for index, match in found.items()
        if {folded(each) for each in (match[0], match[1], match[2])} & set(map(folded, wanted))
    ]
    if asked:
        exact = [index for index in fitting if sheet.header[index] == asked]
        fitting = exact or fitting
    if len(fitting) != 1:
        known = ", ".join(repr(match[0]) for match in found.values()) or "none"
        raise UsageError(
            f"expected one assignment called {' or '.join(map(repr, wanted))}, got {len(fitting)} "
            f"@ {sheet.where} line 1; name one with --column: {known}"
        )
    cells = (row[fitting[0]].value for row in sheet.rows[1:] if _describes(row[0].value))
    if any(_READ_ONLY.search(cell) for cell in cells):
        raise UsageError(
            f"expected a column that Canvas reads, got a read-only one @ {sheet.where} "
            f"{sheet.header[fitting[0]]!r}; name another with --column"
        )
    return fitting[0]


def _describes(first: str) -> bool:
    return "Points Possible" in first


def _possible(sheet: Sheet, column: int) -> Fraction | None:
    for row in sheet.rows[1:]:
        if _describes(row[0].value) and column < len(row):
            try:
                return Fraction(row[column].value.strip().replace(",", "."))
            except (ValueError, ZeroDivisionError):
                return None
    return None


def _rows(sheet: Sheet, column: int) -> Iterator[Row]:
    at = {name: index for index, name in enumerate(sheet.header) if name in STUDENT}
    split = "Student" not in at
    for index, row in enumerate(sheet.rows[1:], start=1):
        values = [cell.value for cell in row]
        if _describes(values[0]) or all(_NO_STUDENT.fullmatch(value) for value in values):
            continue
        if len(row) != len(sheet.header):
            raise UsageError(
                f"expected {len(sheet.header)} cells, got {len(row)} @ {sheet.where} row "
                f"{index + 1}; download the sheet again"
            )
        said = {name: values[place].strip() for name, place in at.items()}
        name = f"{values[0]}, {values[1]}" if split else said["Student"]
        login = said.get("SIS Login ID", "")
        yield Row(
            index=index,
            who=Identity(
                key=login or said["ID"],
                name=name,
                email=login,
                canvas_id=said["ID"],
                sis_id=said.get("SIS User ID", ""),
            ),
            shown=name or said["ID"],
            fixed=KEEP.get(values[column].strip().upper(), ""),
        )
