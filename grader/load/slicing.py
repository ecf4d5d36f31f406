"""Which top-level statements the wanted names depend on: a backward slice."""

import ast
import builtins
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from grader.load.parsing import Fault, Program
from grader.load.scopes import (
    NOTHING,
    Definition,
    Effect,
    Needs,
    changed_inside,
    effect,
    is_main_guard,
    needs,
    registrars,
)

_MAX_STEPS = 300_000
BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__annotations__"}
_IGNORED = Effect((), frozenset(), frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Reach:
    """What one wanted name depends on."""

    statements: frozenset[int] = frozenset()
    """Indices of the statements."""
    bound: frozenset[tuple[int, str]] = frozenset()
    """The bindings that are used: index of a statement, a name it binds."""
    unresolved: frozenset[str] = frozenset()
    """Names that nothing in the file binds and Python does not have."""


@dataclass(slots=True)
class _Search:
    todo: list[tuple[str, int, bool]] = field(default_factory=list)
    seen: set[tuple[str, int, bool]] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)
    bound: set[tuple[int, str]] = field(default_factory=set)
    unresolved: set[str] = field(default_factory=set)
    steps: int = 0


class Slicer:
    """Answers, for one program, what a name depends on."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.faults: dict[int, Fault] = {}
        """Statements that parse and still can't be compiled."""
        self.effects = [self._effect(i) for i in range(len(program.statements))]
        """What each statement binds and changes."""
        self.names = tuple(dict.fromkeys(x for change in self.effects for x in change.binds))
        """Every name the file binds, imports included, in order."""
        self.stars = tuple(i for i, x in enumerate(program.statements) if _is_star(x.node))
        """Indices of the star imports."""
        self.guards = frozenset(
            i for i, x in enumerate(program.statements) if is_main_guard(x.node)
        )
        """Indices of the `if __name__ == "__main__":` blocks."""
        self._needs: dict[int, Needs] = {}
        self._events = self._changes()

    def needs(self, index: int) -> Needs:
        """What the statement at `index` reads; nothing where it can't be compiled."""
        known = self._needs.get(index)
        if known is None:
            found = needs(self.program.statements[index])
            if isinstance(found, Fault):
                self.faults[index] = found
                found = NOTHING
            self._needs[index] = known = found
        return known

    def reach(self, name: str) -> Reach:
        """What `name`, as it stands at the end of the file, depends on.

        A name read while a statement runs is what it was by then; a name read in a function's
        body is what it is at the end, and also what it was by then where the statement calls.
        """
        end = len(self.program.statements)
        search = _Search(todo=[(name, end, True)])
        while search.todo:
            asked = search.todo.pop()
            if asked not in search.seen:
                search.seen.add(asked)
                self._follow(*asked, search)
            if search.steps > _MAX_STEPS:
                return self._all()
        return Reach(
            frozenset(search.statements - self.faults.keys()),
            frozenset(x for x in search.bound if x[0] not in self.faults),
            frozenset(search.unresolved),
        )

    def owner(self, index: int) -> str:
        """The top-level definition that a statement is part of; "" for none."""
        change = self.effects[index]
        return (*change.binds, *sorted(change.mutates), *sorted(change.touches), "")[0]

    def _follow(self, name: str, position: int, called: bool, search: _Search) -> None:
        end = len(self.program.statements)
        events = self._events.get(name)
        if events is None:
            if name not in BUILTINS:
                search.unresolved.add(name)
            return
        for index, binds, surely in _before(events, position):
            search.steps += 1
            search.statements.add(index)
            if binds:
                search.bound.add((index, name))
            reads = self.needs(index)
            for read in reads.now:
                # A change of the name itself needs nothing that is not being collected here, unless
                # it calls what the name was by then.
                if surely or read != name or reads.calls:
                    search.todo.append((read, index, reads.calls))
            for read in reads.later:
                search.todo.append((read, end, True))
                if called and position != end:
                    search.todo.append((read, position, True))
            search.steps += len(reads.now) + len(reads.later)
            if surely:
                break

    def _effect(self, index: int) -> Effect:
        found = effect(self.program.statements[index])
        if isinstance(found, Fault):
            self.faults[index] = found
            return _IGNORED
        return found

    def _changes(self) -> dict[str, list[tuple[int, bool, bool]]]:
        """For each name, in order: index of a statement, whether it binds it, whether surely."""
        statements = self.program.statements
        defined: set[str] = set()
        assigned: set[str] = set()
        for statement, change in zip(statements, self.effects, strict=True):
            if isinstance(statement.node, Definition):
                defined.update(change.binds)
            elif not isinstance(statement.node, ast.Import | ast.ImportFrom):
                assigned.update(change.binds)
        events: dict[str, list[tuple[int, bool, bool]]] = {}
        for index, change in enumerate(self.effects):
            if index in self.guards:
                continue
            decorated = isinstance(statements[index].node, Definition)
            touched = change.touches & (
                (assigned | defined) if decorated else self._touchable(index, assigned)
            )
            binds = set(change.binds)
            for name in {*binds, *change.mutates, *touched}:
                event = (index, name in binds, name in change.surely)
                events.setdefault(name, []).append(event)
        self._add_declared(events)
        self._add_registered(events, assigned, defined)
        return events

    def _touchable(self, index: int, assigned: set[str]) -> set[str]:
        node = self.program.statements[index].node
        by_name = (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
        )
        return set(self.effects[index].touches) if by_name else assigned

    def _add_declared(self, events: dict[str, list[tuple[int, bool, bool]]]) -> None:
        """Names that only a function binds (`global x`): the statements that call it bind them."""
        setters: dict[str, frozenset[str]] = {}
        for index, statement in enumerate(self.program.statements):
            if isinstance(statement.node, Definition) and "global" in statement.text:
                setters[statement.node.name] = self.needs(index).declared - events.keys()
        if not any(setters.values()):
            return
        for index, statement in enumerate(self.program.statements):
            node = statement.node
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                called = node.value.func
                for name in setters.get(called.id, ()) if isinstance(called, ast.Name) else ():
                    events.setdefault(name, []).append((index, False, False))

    def _add_registered(
        self,
        events: dict[str, list[tuple[int, bool, bool]]],
        assigned: set[str],
        defined: set[str],
    ) -> None:
        """Names that a decorator of the file changes, such as a table of what it decorates."""
        statements = self.program.statements
        handed = {i: registrars(x.node, defined) for i, x in enumerate(statements)}
        wanted = {name for names in handed.values() for name in names}
        changes: dict[str, set[str]] = {}
        for index, statement in enumerate(statements):
            if isinstance(statement.node, ast.FunctionDef) and statement.node.name in wanted:
                inside = changed_inside(statement.node) & assigned & self.needs(index).later
                changes.setdefault(statement.node.name, set()).update(inside)
        added: dict[str, set[int]] = {}
        for index, names in handed.items():
            for name in {x for each in names for x in changes.get(each, ())}:
                added.setdefault(name, set()).add(index)
        for name, indices in added.items():
            known = events.setdefault(name, [])
            indices -= {event[0] for event in known} | self.guards
            known += [(index, False, False) for index in indices]
            known.sort()

    def _all(self) -> Reach:
        kept = frozenset(range(len(self.program.statements))) - self.guards
        for index in kept:
            self.needs(index)
        kept -= self.faults.keys()
        bound = frozenset((i, name) for i in kept for name in self.effects[i].binds)
        return Reach(kept, bound)


@lru_cache(maxsize=8)
def slicer(program: Program) -> Slicer:
    """The slicer of `program`."""
    return Slicer(program)


def _before(
    events: list[tuple[int, bool, bool]], position: int
) -> Iterator[tuple[int, bool, bool]]:
    """The changes before `position`, latest first."""
    for at in range(bisect_left(events, (position, False, False)) - 1, -1, -1):
        yield events[at]


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(x.name == "*" for x in node.names)
