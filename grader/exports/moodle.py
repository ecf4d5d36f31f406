"""Moodle: the worksheet for marking offline, with its column Grade filled in.

What Moodle does with it is said in its own source, mod/assign/feedback/offline: a sheet without the
columns Identifier, Grade and Last modified (grade) is refused; a row whose identifier is nobody's,
a number out of range, a locked grade and an empty one are skipped in silence. All but the first
are listed here instead.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from grader.errors import UsageError
from grader.exports.marks import FinalMark
from grader.exports.matching import Filled, Row, filled
from grader.exports.sheet import Sheet, read_sheet
from grader.roster import Identity, Roster

GRADE, MAXIMUM, LOCKED = "Grade", "Maximum Grade", "Grade can be changed"
STATUS = "Status"
_PARTICIPANT = re.compile(r"(\D+?)\s*(\d+)")
_ADDRESS = re.compile(r"\S+@\S+\.\S+")


def fill_moodle(
    path: Path,
    marks: Iterable[FinalMark],
    roster: Roster,
    *,
    column: str | None = None,
    scale: bool = False,
) -> Filled:
    """The worksheet with marks in it.

    Args:
        path: the CSV that Moodle gave.
        marks: the final marks.
        roster: who is who.
        column: heading of the grade's column, where Moodle speaks another language.
        scale: convert to the maximum grade that the sheet states.

    Raises:
        UsageError: it is no worksheet of Moodle's, or the column can't be told.
    """
    heading = column or GRADE
    sheet = read_sheet(path, (heading,))
    if sheet.header.count(heading) > 1:
        raise UsageError(
            f"expected one column {heading!r}, got several @ {path} line 1; name another with "
            "--column"
        )
    rows = tuple(_rows(sheet, sheet.header.index(heading)))
    maxima = {row.maximum for row in rows}
    if scale and (len(maxima) != 1 or None in maxima):
        raise UsageError(
            f"expected one number in every row of {MAXIMUM!r}, got none or several @ {path}; "
            "leave --scale out"
        )
    return filled(
        sheet,
        sheet.header.index(heading),
        rows,
        marks,
        roster,
        scale=maxima.pop() if scale else None,
    )


def participants(sheet: Sheet) -> Iterator[tuple[int, Identity]]:
    """Every row with who it is: number, full name where marking is not blind, and address."""
    body = sheet.rows[1:]
    identifier = _identifier(sheet)
    address = next(
        (
            place
            for place in range(len(sheet.header))
            if body and all(len(row) > place for row in body)
            if all(_ADDRESS.fullmatch(row[place].value.strip()) for row in body)
        ),
        None,
    )
    # Where marking is blind, the status comes next, and only the identifier tells who is who.
    named = sheet.header[identifier + 1] != STATUS
    for index, row in enumerate(body, start=1):
        if len(row) != len(sheet.header):
            raise UsageError(
                f"expected {len(sheet.header)} cells, got {len(row)} @ {sheet.where} row "
                f"{index + 1}; Moodle refuses such a sheet: download it again"
            )
        match = _PARTICIPANT.fullmatch(row[identifier].value.strip())
        name = row[identifier + 1].value.strip() if named else ""
        shown = row[identifier].value.strip()
        yield (
            index,
            Identity(
                key=name or shown,
                name=name,
                email="" if address is None else row[address].value.strip(),
                moodle_id=match[2] if match else "",
                anonymous=not named,
            ),
        )


def _identifier(sheet: Sheet) -> int:
    """The first column in which every cell is a word and a number: "Participant 57"."""
    for place in range(len(sheet.header) - 1):
        cells = [row[place].value.strip() for row in sheet.rows[1:] if len(row) > place]
        if cells and all(map(_PARTICIPANT.fullmatch, cells)):
            return place
    raise UsageError(
        f"expected a column of identifiers such as 'Participant 57', got none @ {sheet.where}; is "
        "it the worksheet for marking offline, and has it any students?"
    )


def _rows(sheet: Sheet, column: int) -> Iterator[Row]:
    maximum = sheet.header.index(MAXIMUM) if MAXIMUM in sheet.header else None
    locked = sheet.header.index(LOCKED) if LOCKED in sheet.header else None
    for index, who in participants(sheet):
        row = sheet.rows[index]
        fixed = locked is not None and row[locked].value.strip().casefold() == "no"
        yield Row(
            index=index,
            who=who,
            shown=who.name or who.key,
            fixed="locked in Moodle, which would skip it" if fixed else "",
            maximum=None if maximum is None else _number(row[maximum].value),
        )


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text.strip().replace(",", "."))
    except (ValueError, ZeroDivisionError):
        return None
