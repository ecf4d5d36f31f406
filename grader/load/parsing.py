"""Cells -> top-level statements. A cell that is not Python drops alone."""

import ast
import re
import symtable
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from grader.errors import SubmissionError
from grader.load.ipython import python_only
from grader.load.reading import CellText, cut_at_marks, read_text, too_large
from grader.types import Origin, SubmittedFile

_DEFINES = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
MAX_STATEMENTS = 20_000

_TEXT_LIMIT = 160
_FILENAME = "<submission>"

# Python's parser warns about a student's backslashes; the filters it asks belong to the process.
_QUIET = threading.Lock()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not Python."""

    line: int
    """Line within the text, from 1."""
    text: str
    """That line, stripped and cut."""
    reason: str
    """Python's own words."""


@dataclass(frozen=True, slots=True)
class BrokenCell:
    """A cell that was left out."""

    fault: Fault
    """Why."""
    origin: Origin
    """Where."""
    defines: tuple[str, ...]
    """Names that it seems to define."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One top-level statement."""

    node: ast.stmt
    """Its syntax tree; line numbers count from 1 + `offset`."""
    text: str
    """Its own source, from the first decorator to the end, without what shares its lines."""
    line: int
    """Line of the program where it starts, from 1."""
    offset: int
    """What to add to the tree's line numbers."""
    column: int
    """Column, in UTF-8 bytes, where it starts."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """One file, read and parsed."""

    file: str
    """Its name."""
    lines: tuple[str, ...]
    """The lines of all code cells, in order."""
    origins: tuple[Origin, ...]
    """Where each of them came from."""
    statements: tuple[Statement, ...]
    """The top-level statements of the cells that are Python, in order."""
    broken: tuple[BrokenCell, ...] = ()
    """The cells that are not."""
    magics: int = 0
    """How many of IPython's own lines and cells were taken out."""
    odd_encoding: str = ""
    """Encoding it was read in, where that had to be guessed."""


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Parsed = tuple[str, ast.Module | Fault, int]


@lru_cache(maxsize=8)
def parse_file(file: SubmittedFile) -> Program:
    """Read and parse a notebook or module.

    Raises:
        SubmissionError: load.too_large, load.not_a_notebook, load.empty, load.syntax.
    """
    source = read_text(file)
    return parse_cells(file.name, source.cells, odd_encoding=source.odd_encoding)


def parse_cells(file: str, cells: tuple[CellText, ...], *, odd_encoding: str = "") -> Program:
    """Parse cells one by one.

    Raises:
        SubmissionError: load.empty where there is no code, load.syntax where none of it is Python.
    """
    lines: list[str] = []
    origins: list[Origin] = []
    statements: list[Statement] = []
    broken: list[BrokenCell] = []
    magics = 0
    for cell, (text, tree, removed) in _parsed(cells):
        magics += removed
        if isinstance(tree, Fault):
            origin = Origin(file=file, line=cell.first_line + tree.line - 1, cell=cell.number)
            broken.append(BrokenCell(tree, origin, tuple(_DEFINES.findall(text))))
        else:
            count = len(statements) + len(tree.body)
            if count > MAX_STATEMENTS:
                raise too_large(file, count, MAX_STATEMENTS, "statements")
            statements += _statements(tree, text, len(lines))
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=cell.first_line):
            lines.append(line)
            origins.append(Origin(file=file, line=number, cell=cell.number))
    if not statements:
        raise _nothing(file, broken)
    return Program(
        file=file,
        lines=tuple(lines),
        origins=tuple(origins),
        statements=tuple(statements),
        broken=tuple(broken),
        magics=magics,
        odd_encoding=odd_encoding,
    )


def parse(text: str) -> ast.Module | Fault:
    """The syntax tree of `text`, or why it has none. Runs nothing."""
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, _FILENAME)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _fault(error, text)


def symbols(text: str) -> symtable.SymbolTable | Fault:
    """The symbol table of `text`, or why it has none. Runs nothing."""
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return symtable.symtable(text, _FILENAME, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _fault(error, text)


def _parsed(cells: tuple[CellText, ...]) -> Iterator[tuple[CellText, _Parsed]]:
    """Each cell, parsed; a module that is not Python as a whole is cut at its marks."""
    for cell in cells:
        parsed = _parse_cell(cell.text)
        pieces: tuple[CellText, ...] = (cell,)
        if isinstance(parsed[1], Fault) and cell.number is None:
            pieces = cut_at_marks(cell)
        if len(pieces) == 1:
            yield cell, parsed
        else:
            yield from ((piece, _parse_cell(piece.text)) for piece in pieces)


def _parse_cell(text: str) -> _Parsed:
    tree = parse(text)
    if not isinstance(tree, Fault):
        return text, tree, 0
    stripped, removed = python_only(text)
    if stripped == text:
        return text, tree, 0
    again = parse(stripped)
    return (text if isinstance(again, Fault) else stripped), again, removed


def _fault(error: Exception, text: str) -> Fault:
    if isinstance(error, SyntaxError):
        number = max(1, min(error.lineno or 1, text.count("\n") + 1))
        reason = error.msg
    else:
        number = 1
        deep = isinstance(error, RecursionError | MemoryError)
        reason = "nested too deeply" if deep else str(error)
    line = text.split("\n")[number - 1]
    return Fault(number, clip(line), reason[:_TEXT_LIMIT])


def clip(line: str) -> str:
    """A line as it is quoted: stripped, of bounded length."""
    return line.strip()[:_TEXT_LIMIT]


def _statements(tree: ast.Module, text: str, offset: int) -> list[Statement]:
    if not tree.body:
        return []
    lines = text.split("\n")
    raw = None if text.isascii() else [line.encode() for line in lines]
    found = []
    for node in tree.body:
        first, column = node.lineno, node.col_offset
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first, column = _first_decorator(node, lines)
        own = _cut(lines if raw is None else raw, first, column, node)
        found.append(Statement(node, own, first + offset, offset, column))
    return found


def _first_decorator(node: _Definition, lines: list[str]) -> tuple[int, int]:
    if not node.decorator_list:
        return node.lineno, node.col_offset
    first = node.decorator_list[0].lineno
    # The tree has the expression, which need not stand on the line of its @.
    while first > 1 and not lines[first - 1].lstrip().startswith("@"):
        first -= 1
    return first, 0


def _cut(lines: list[str] | list[bytes], first: int, column: int, node: ast.stmt) -> str:
    last = node.end_lineno or first
    if first == last:
        line = lines[first - 1][column : node.end_col_offset]
        return line if isinstance(line, str) else line.decode()
    piece = lines[first - 1 : last]
    texts = [x if isinstance(x, str) else x.decode() for x in piece[1:-1]]
    head, tail = piece[0][column:], piece[-1][: node.end_col_offset]
    texts.insert(0, head if isinstance(head, str) else head.decode())
    texts.append(tail if isinstance(tail, str) else tail.decode())
    return "\n".join(texts)


def _nothing(file: str, broken: list[BrokenCell]) -> SubmissionError:
    if not broken:
        message = f"expected code, got none @ {file}"
        return SubmissionError(message, code="load.empty", facts={"file": file})
    fault, origin = broken[0].fault, broken[0].origin
    facts: dict[str, object] = {
        "file": file,
        "line": origin.line,
        "cell": origin.cell,
        "text": fault.text,
        "reason": fault.reason,
    }
    where = f"line {origin.line}" if origin.cell is None else f"cell {origin.cell}"
    message = f"expected Python, got {fault.text!r} ({fault.reason}) @ {file} {where}"
    return SubmissionError(message, code="load.syntax", facts=facts)
