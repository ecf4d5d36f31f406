"""Which statements stay, and with which of the names they bind."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.load.modules import is_installed
from grader.load.parsing import Statement
from grader.load.scopes import is_future
from grader.load.slicing import Reach, Slicer
from grader.types import SubmittedFile


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement that stays."""

    index: int
    """Its index in the program."""
    statement: Statement
    """The statement."""
    node: ast.stmt
    """The statement's tree; an import without the names that nothing needs."""
    bound: tuple[str, ...]
    """The names it binds that something needs."""


def keep(
    slices: Slicer,
    reaches: Sequence[Reach],
    own: Mapping[str, SubmittedFile],
    everything: bool,
) -> list[Kept]:
    """The statements that any of the wanted names depends on, star imports that can be found."""
    statements = slices.program.statements
    bound: dict[int, set[str]] = {}
    for reach in reaches:
        for index, name in reach.bound:
            bound.setdefault(index, set()).add(name)
    indices = {index for reach in reaches for index in reach.statements}
    indices |= {i for i in slices.stars if star_found(statements[i].node, own)}
    if everything:
        indices = set(range(len(statements))) - slices.guards
        for index in indices:
            slices.needs(index)
    kept = []
    for index in sorted(indices - slices.faults.keys()):
        node = statements[index].node
        names = set(slices.effects[index].binds) if everything else bound.get(index, set())
        if isinstance(node, ast.Import | ast.ImportFrom):
            if is_future(node):
                continue
            node = _trimmed(node, names)
        ordered = tuple(x for x in slices.effects[index].binds if x in names)
        kept.append(Kept(index, statements[index], node, ordered))
    return kept


def _trimmed(node: ast.Import | ast.ImportFrom, names: set[str]) -> ast.Import | ast.ImportFrom:
    if isinstance(node, ast.Import):
        found = [x for x in node.names if (x.asname or x.name.partition(".")[0]) in names]
        return node if len(found) == len(node.names) else ast.Import(names=found)
    found = [x for x in node.names if x.name == "*" or (x.asname or x.name) in names]
    if len(found) == len(node.names):
        return node
    return ast.ImportFrom(module=node.module, names=found, level=node.level)


def star_found(node: ast.stmt, own: Mapping[str, SubmittedFile]) -> bool:
    """Whether the module of a star import is installed or in the submission."""
    name = node.module.partition(".")[0] if isinstance(node, ast.ImportFrom) and node.module else ""
    return name in own or (bool(name) and is_installed(name))
