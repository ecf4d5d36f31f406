"""Small rewrites that let one machine run what was written for another; no line moves."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from grader.load.mentions import Mentions
from grader.load.parsing import Program, Statement, clip
from grader.types import Note

DEVICE = "load.device"
FLOAT32 = "load.float32"
WORKERS = "load.workers"

_LITERAL = re.compile(rb"([rRuU]?(['\"]))(?:cuda(?::\d+)?|mps(?::\d+)?|float32)(\2)")
_NUMPY_FLOAT32 = frozenset({"numpy.float32", "numpy.single"})
_LOADERS = frozenset({"torch.utils.data.DataLoader", "torch.utils.data.dataloader.DataLoader"})
_TORCH_FLOAT32 = frozenset({"torch.float32", "torch.float"})


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement within one line."""

    line: int
    """Line of the program, from 1."""
    start: int
    """First byte of what is replaced."""
    stop: int
    """The byte behind it."""
    put: bytes
    """What is put there."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that is changed, here or by the worker, and said once."""

    code: str
    """Code of the note."""
    was: str
    """What stood there."""
    line: int
    """Line of the program, from 1."""


def rewrites(
    statement: Statement,
    lines: list[bytes],
    found: Mentions,
    resolved: Iterable[tuple[ast.expr, str]],
) -> tuple[list[Edit], list[Sighting]]:
    """What to change in a statement, and what to say about it.

    Args:
        statement: the statement.
        lines: its own lines.
        found: what it mentions.
        resolved: its API mentions by dotted name.
    """
    edits: list[Edit] = []
    seen: list[Sighting] = []
    for constant in found.strings:
        edit = _string_edit(statement, lines, constant)
        if edit is not None:
            edits.append(edit)
            code = FLOAT32 if constant.value == "float32" else DEVICE
            seen.append(Sighting(code, repr(constant.value), edit.line))
    for call, method in found.methods:
        code = DEVICE if method == ".cuda()" else FLOAT32
        seen.append(Sighting(code, method, (call.end_lineno or call.lineno) + statement.offset))
    for node, api in resolved:
        line = (node.end_lineno or node.lineno) + statement.offset
        if api in _LOADERS and node in found.loaders:
            seen.append(Sighting(WORKERS, "num_workers", line))
        elif api in _TORCH_FLOAT32:
            seen.append(Sighting(FLOAT32, api, line))
        elif api in _NUMPY_FLOAT32:
            seen.append(Sighting(FLOAT32, api, line))
            edit = _attribute_edit(statement, lines, node)
            if edit is not None:
                edits.append(edit)
    return edits, seen


def renamed(module: str, name: str) -> str:
    """What to import instead of `name` from `module`; mostly `name`."""
    return "float64" if f"{module}.{name}" in _NUMPY_FLOAT32 else name


def applied(statement: Statement, edits: list[Edit]) -> str:
    """The statement's text with `edits` made."""
    if not edits:
        return statement.text
    by_line: dict[int, list[Edit]] = {}
    for edit in sorted(set(edits), key=lambda x: x.start):
        by_line.setdefault(edit.line - statement.line, []).append(edit)
    lines = statement.text.encode().split(b"\n")
    for number, ordered in by_line.items():
        pieces, at = [], 0
        for edit in ordered:
            pieces += [lines[number][at : edit.start], edit.put]
            at = edit.stop
        lines[number] = b"".join([*pieces, lines[number][at:]])
    return b"\n".join(lines).decode()


def portability_notes(program: Program, seen: list[Sighting]) -> list[Note]:
    """One note for each kind, at its first place."""
    notes = []
    for code in (DEVICE, FLOAT32, WORKERS):
        places = sorted((x for x in seen if x.code == code), key=lambda x: (x.line, x.was))
        if places:
            first = places[0]
            facts = {
                "was": first.was,
                "text": clip(program.lines[first.line - 1]),
                "count": len(places),
            }
            notes.append(Note(code=code, facts=facts, origin=program.origins[first.line - 1]))
    return notes


def _string_edit(statement: Statement, lines: list[bytes], node: ast.Constant) -> Edit | None:
    if node.end_lineno != node.lineno:
        return None
    place = _place(statement, lines, node.lineno, node.col_offset, node.end_col_offset or 0)
    literal = _LITERAL.fullmatch(place[1])
    if literal is None:
        return None
    value = b"float64" if node.value == "float32" else b"cpu"
    start = place[0]
    line = node.lineno + statement.offset
    return Edit(line, start, start + len(place[1]), literal[1] + value + literal[3])


def _attribute_edit(statement: Statement, lines: list[bytes], node: ast.expr) -> Edit | None:
    if not isinstance(node, ast.Attribute) or node.end_lineno is None:
        return None
    stop = node.end_col_offset or 0
    begin = stop - len(node.attr)
    start, text = _place(statement, lines, node.end_lineno, begin, stop)
    if text != node.attr.encode():
        return None
    return Edit(node.end_lineno + statement.offset, start, start + len(text), b"float64")


def _place(
    statement: Statement, lines: list[bytes], lineno: int, start: int, stop: int
) -> tuple[int, bytes]:
    """Byte offset within the statement's own line, and the bytes there."""
    number = lineno + statement.offset - statement.line
    if not 0 <= number < len(lines):
        return 0, b""
    shift = statement.column if number == 0 else 0
    return start - shift, lines[number][start - shift : stop - shift]
