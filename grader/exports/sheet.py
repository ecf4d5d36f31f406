"""A CSV that is changed cell by cell: every byte that is not told to change stays as it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

MOST_BYTES = 100_000_000
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    value: str
    """What it says, without quotes."""
    start: int
    """Where its characters begin in the sheet, quotes included."""
    end: int
    """Where they end."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV, and where in it each cell stands."""

    text: str
    """All of it, as it came."""
    rows: tuple[tuple[Cell, ...], ...]
    """Rows of cells; the first is the header. Lines without anything are not among them."""
    where: str
    """The file, for messages."""

    @property
    def header(self) -> tuple[str, ...]:
        """What the columns are called."""
        return tuple(cell.value for cell in self.rows[0])

    def filled(self, changes: Mapping[tuple[int, int], str]) -> bytes:
        """The sheet with some cells changed.

        Args:
            changes: what a cell is to say, by its row and column; text that needs no quotes.
        """
        pieces: list[str] = []
        at = 0
        for (row, column), value in sorted(changes.items()):
            cell = self.rows[row][column]
            pieces += [self.text[at : cell.start], value]
            at = cell.end
        return "".join([*pieces, self.text[at:]]).encode("utf-8")


def read_sheet(path: Path, needed: tuple[str, ...]) -> Sheet:
    """A downloaded sheet, whatever separates its cells.

    Args:
        path: the file.
        needed: columns that tell which separator is the right one.

    Raises:
        UsageError: it can't be read, is no UTF-8, no CSV, or lacks a needed column.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"expected a downloaded sheet, got {error.strerror} @ {path}") from error
    if len(raw) > MOST_BYTES:
        raise UsageError(f"expected a sheet of at most {MOST_BYTES} bytes, got more @ {path}")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"expected a sheet in UTF-8, as it was downloaded, got byte {raw[error.start]:#04x} @ "
            f"{path}; download it again, and do not save it from a spreadsheet program"
        ) from error
    problems: list[UsageError] = []
    for delimiter in ",;\t":
        try:
            rows = _rows(text, delimiter)
        except ValueError as error:
            problems.append(UsageError(f"expected a CSV, got {error} @ {path}; download it again"))
            continue
        if not rows:
            continue
        sheet = Sheet(text, rows, str(path))
        lacking = [name for name in needed if name not in sheet.header]
        if not lacking:
            return sheet
        lack = UsageError(
            f"expected the columns {', '.join(needed)}, got none called {lacking[0]!r} @ {path} "
            "line 1; is it the sheet that the LMS gave you?"
        )
        problems.append(lack)
    # What is said of the usual separator, the comma, is the most likely to help.
    raise problems[0] if problems else UsageError(f"expected a CSV, got nothing @ {path}")


def _rows(text: str, delimiter: str) -> tuple[tuple[Cell, ...], ...]:
    """Cells of a CSV, row by row, with their places; quotes as in RFC 4180."""
    rows: list[tuple[Cell, ...]] = []
    row: list[Cell] = []
    at = 1 if text.startswith(_MARK) else 0
    line = 1
    while at < len(text):
        value, end = _cell(text, at, delimiter, line)
        row.append(Cell(value, at, end))
        line += text.count("\n", at, end)
        following = text[end : end + 1]
        at = end + 1
        if following == delimiter:
            if at == len(text):
                row.append(Cell("", at, at))
            continue
        if following == "\r" and text[at : at + 1] == "\n":
            at += 1
        line += bool(following)
        if len(row) > 1 or row[0].value:
            rows.append(tuple(row))
        row = []
    if row:
        rows.append(tuple(row))
    return tuple(rows)


def _cell(text: str, at: int, delimiter: str, line: int) -> tuple[str, int]:
    """What the cell that begins at a place says, and where it ends."""
    if text[at : at + 1] != '"':
        end = at
        if plain := re.compile(f"[^{delimiter}\r\n]+").match(text, at):
            end = plain.end()
        return text[at:end], end
    pieces: list[str] = []
    start = at + 1
    while True:
        end = text.find('"', start)
        if end < 0:
            raise ValueError(f"a quote in line {line} that is never closed")
        pieces.append(text[start:end])
        if text[end + 1 : end + 2] != '"':
            break
        pieces.append('"')
        start = end + 2
    end += 1
    if text[end : end + 1] not in (delimiter, "\n", "\r", ""):
        raise ValueError(f"text behind a closing quote in line {line}")
    return "".join(pieces), end
