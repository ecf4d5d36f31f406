"""Small patches of a reference: the diff is the idea.

A misconception is the reference with a few places edited, so that it runs on the same road as any
submission. Patches that do not overlap combine, so pairs of mistakes come for free.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from grader.errors import CourseError
from grader.types import Edit

WRAPPED = "adapted_"
"""Beginning of the name of what an adapter makes stand beside the reference."""
BEGIN = re.compile(r"^\s*# BEGIN SOLUTION\s*$")
END = re.compile(r"^\s*# END SOLUTION\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An edit at its place."""

    start: int
    """Offset of the first character replaced."""
    end: int
    """Offset after the last."""
    put: str
    """What takes their place."""


def replacements(source: str, edits: Sequence[Edit], where: str) -> tuple[Replacement, ...]:
    """The places of a patch's edits in the reference.

    Args:
        source: the reference.
        edits: the patch.
        where: for messages, such as "rubrics/mha.yaml misconception scale-by-d-model".

    Raises:
        CourseError: a scope or a text that is not there once, or lies outside a solution region.
    """
    return tuple(_replacement(source, edit, where) for edit in edits)


def _replacement(source: str, edit: Edit, where: str) -> Replacement:
    lines = source.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    first, last = _scope(source, edit.scope, where)
    start, end = offsets[first], offsets[last]
    found = list(_occurrences(source, edit.find, start, end))
    if len(found) != 1:
        raise CourseError(
            f"expected {edit.find!r} once in {edit.scope}, got {len(found)} @ {where}"
        )
    at, length = found[0]
    number, last_number = source.count("\n", 0, at), source.count("\n", 0, at + length)
    if not (_solved(lines, number) and _solved(lines, last_number)):
        raise CourseError(
            f"expected {edit.find!r} in a solution region, got line {number + 1} @ {where}"
        )
    indent = re.match(r"\s*", lines[number])
    assert indent is not None
    put = edit.put.rstrip("\n").replace("\n", "\n" + indent[0])
    return Replacement(start=at, end=at + length, put=put)


@lru_cache(maxsize=4)
def _body(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


def _scope(source: str, scope: str, where: str) -> tuple[int, int]:
    """Lines of a function, a class or a method, from 0."""
    body = _body(source)
    node: ast.AST | None = None
    for name in scope.split("."):
        named = [
            each
            for each in body
            if isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name == name
        ]
        if len(named) != 1:
            raise CourseError(f"expected {scope!r} in the reference, got none @ {where}")
        node = named[0]
        body = named[0].body
    assert isinstance(node, ast.FunctionDef | ast.ClassDef) and node.end_lineno is not None
    return node.lineno - 1, node.end_lineno


def _occurrences(source: str, find: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each place; lines after the first may be indented."""
    pattern = r"\n[ \t]*".join(re.escape(line.strip()) for line in find.strip().splitlines())
    for match in re.finditer(pattern, source[start:end]):
        yield start + match.start(), match.end() - match.start()


def _solved(lines: Sequence[str], line: int) -> bool:
    """Whether a line lies within a solution region."""
    for each in reversed(lines[:line]):
        if BEGIN.match(each):
            return True
        if END.match(each):
            return False
    return False


def overlap(one: Sequence[Replacement], other: Sequence[Replacement]) -> bool:
    """Whether two patches touch the same place, so that they can't be combined."""
    places = sorted((each.start, each.end) for each in (*one, *other))
    return any(left[1] > right[0] for left, right in pairwise(places))


def patched(source: str, made: Sequence[Replacement], where: str) -> str:
    """The reference with every replacement made.

    Raises:
        CourseError: two of them overlap, or what comes out is no Python.
    """
    if overlap(made, ()):
        raise CourseError(f"expected edits that do not overlap @ {where}")
    code = applied(source, made)
    try:
        ast.parse(code)
    except SyntaxError as error:
        raise CourseError(f"expected Python, got {error} @ {where}") from error
    return code


def applied(source: str, made: Sequence[Replacement]) -> str:
    """The same for replacements that are known to fit together."""
    for each in sorted(made, key=lambda each: each.start, reverse=True):
        source = source[: each.start] + each.put + source[each.end :]
    return source


def definition(source: str, name: str) -> str:
    """The source of one function or class at the top level."""
    found = re.search(rf"^(?:class|def) {name}\b.*?(?=^[^\s)\]}}]|\Z)", source, re.M | re.S)
    return found[0] if found else ""
