"""A program and the wanted names -> one clean module, on the lines it stood on."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.load.keeping import Kept, keep
from grader.load.mentions import (
    Mentions,
    aliases,
    chosen_by_availability,
    imported_modules,
    mentions,
    units,
)
from grader.load.modules import imported_sources
from grader.load.notes import file_notes, module_notes
from grader.load.parsing import Program, Statement, clip
from grader.load.portable import (
    Edit,
    Sighting,
    applied,
    portability_notes,
    renamed,
    rewrites,
)
from grader.load.scopes import Definition, is_future
from grader.load.settings import settings
from grader.load.slicing import BUILTINS, Reach, Slicer, slicer
from grader.types import ApiUse, Loaded, Origin, SubmittedFile


@dataclass(slots=True)
class _Gathered:
    uses: list[ApiUse] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    edits: dict[int, list[Edit]] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)


def assemble(
    program: Program,
    entries: tuple[str, ...],
    own: Mapping[str, SubmittedFile],
    *,
    everything: bool = False,
) -> Loaded:
    """The module that holds what `entries` depend on.

    Args:
        program: the file that is graded.
        entries: the wanted names.
        own: other modules of the submission, by name.
        everything: keep all but IPython's lines and main guards.

    Raises:
        SubmissionError: load.too_large, for another module of the submission.
    """
    slices = slicer(program)
    reaches = {entry: slices.reach(entry) for entry in entries}
    kept = keep(slices, [*reaches.values(), settings(slices, reaches.values())], own, everything)
    stars = _star_modules(kept)
    gathered = _gather(slices, kept, stars)
    source, origins = _source(program, slices, kept, gathered.edits)
    return Loaded(
        source=source,
        origins=origins,
        modules=imported_sources(gathered.modules, own),
        notes=(
            *file_notes(slices, kept),
            *module_notes(slices, kept, reaches, own, everything),
            *portability_notes(program, gathered.seen),
        ),
        names=_defined(slices, own),
        uses=tuple(gathered.uses),
        depends={entry: _depends(slices, entry, reaches[entry]) for entry in entries},
        file=program.file,
    )


def _gather(slices: Slicer, kept: list[Kept], stars: Sequence[str]) -> _Gathered:
    """Walk every kept statement once: API uses, rewrites, modules."""
    known = aliases(x.node for x in kept)
    bound = set(slices.names)
    gathered = _Gathered()
    for item in kept:
        if isinstance(item.node, ast.Import | ast.ImportFrom):
            gathered.modules += imported_modules(item.node)
            continue
        reads = slices.needs(item.index)
        reachable = reads.now | reads.later
        scope: dict[str, tuple[str, ...]] = {
            name: (known[name],) for name in reachable & known.keys()
        }
        unbound = reachable - bound - BUILTINS if stars else frozenset()
        scope |= {name: tuple(f"{x}.{name}" for x in stars) for name in unbound}
        owner = (*item.bound, slices.owner(item.index))[0]
        found: list[tuple[int, int, ApiUse]] = []
        lines = item.statement.text.encode().split(b"\n")
        portable = chosen_by_availability(item.node)
        for name, node in units(item.node, owner):
            seen = mentions(node, portable)
            gathered.modules += seen.modules
            resolved = _resolved(seen, scope)
            edits, sightings = rewrites(item.statement, lines, seen, resolved)
            gathered.edits.setdefault(item.index, []).extend(edits)
            gathered.seen += sightings
            found += [_use(slices.program, item.statement, name, *x) for x in resolved]
        found.sort(key=lambda x: (x[0], x[1], x[2].api))
        gathered.uses += dict.fromkeys(use for _, _, use in found)
    return gathered


def _resolved(seen: Mentions, scope: Mapping[str, tuple[str, ...]]) -> list[tuple[ast.expr, str]]:
    found = []
    for node, name, rest in seen.chains:
        local = seen.imported.get(name)
        for api in scope.get(name, ()) if local is None else (local,):
            found.append((node, api + rest))
    return found


def _use(
    program: Program, statement: Statement, definition: str, node: ast.expr, api: str
) -> tuple[int, int, ApiUse]:
    at = min(node.lineno + statement.offset, len(program.lines)) - 1
    text = clip(program.lines[at])
    use = ApiUse(api=api, definition=definition, origin=program.origins[at], text=text)
    return at, node.col_offset, use


def _source(
    program: Program, slices: Slicer, kept: list[Kept], edits: Mapping[int, list[Edit]]
) -> tuple[str, tuple[Origin, ...]]:
    lines = [""] * len(program.lines)
    origins = program.origins
    for item in kept:
        text = _text(item, edits.get(item.index, []))
        for at, line in enumerate(text.split("\n"), start=item.statement.line - 1):
            lines[at] = f"{lines[at]}; {line}" if lines[at] else line
    futures = [
        (name.name, statement.line)
        for index, statement in enumerate(program.statements)
        if is_future(statement.node)
        and isinstance(statement.node, ast.ImportFrom)
        # Asked for its faults: an unknown feature would take the whole module with it.
        and slices.needs(index) is not None
        and index not in slices.faults
        for name in statement.node.names
    ]
    if futures:
        names = ", ".join(dict.fromkeys(name for name, _ in futures))
        lines.insert(0, f"from __future__ import {names}")
        origins = (origins[futures[0][1] - 1], *origins)
    return "\n".join(lines) + "\n", origins


def _text(item: Kept, edits: list[Edit]) -> str:
    node = item.node
    if isinstance(node, ast.Import):
        whole = node is item.statement.node
        return item.statement.text if whole else f"import {_listed(node.names)}"
    if not isinstance(node, ast.ImportFrom):
        return applied(item.statement, edits)
    module = node.module or ""
    names = [
        x if (put := renamed(module, x.name)) == x.name else ast.alias(put, x.asname or x.name)
        for x in node.names
    ]
    if node is item.statement.node and names == node.names:
        return item.statement.text
    return f"from {'.' * node.level}{module} import {_listed(names)}"


def _listed(names: Iterable[ast.alias]) -> str:
    return ", ".join(f"{x.name} as {x.asname}" if x.asname else x.name for x in names)


def _star_modules(kept: list[Kept]) -> list[str]:
    return [
        x.node.module
        for x in kept
        if isinstance(x.node, ast.ImportFrom) and x.node.names[0].name == "*" and x.node.module
    ]


def _defined(slices: Slicer, own: Mapping[str, SubmittedFile]) -> tuple[str, ...]:
    """Names that the file binds itself or takes from another file of the submission."""
    names: list[str] = []
    for statement, effect in zip(slices.program.statements, slices.effects, strict=True):
        node = statement.node
        if isinstance(node, ast.Import):
            continue
        module = (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else ""
        if not isinstance(node, ast.ImportFrom) or module in own:
            names += effect.binds
    return tuple(dict.fromkeys(names))


def _depends(slices: Slicer, entry: str, reach: Reach) -> tuple[str, ...]:
    statements = slices.program.statements
    found: list[tuple[int, str]] = []
    for index in reach.statements:
        node = statements[index].node
        if isinstance(node, Definition):
            found.append((index, node.name))
    found += [
        (index, name)
        for index, name in reach.bound
        if not isinstance(statements[index].node, ast.Import | ast.ImportFrom)
    ]
    itself = [entry] if any(name == entry for _, name in reach.bound) else []
    return tuple(dict.fromkeys([*itself, *(name for _, name in sorted(found))]))
