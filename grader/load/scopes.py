"""What one top-level statement binds, needs and changes.

Bindings come from the syntax tree; which names are global comes from `symtable`, asked about each
statement by itself, so that no scoping rule of Python is written down here a second time.
"""

import ast
import symtable
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.load.parsing import Fault, Statement, symbols

_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
_MAX_LOOKUPS = 100_000

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPOUND = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith),
    *(ast.Try, ast.TryStar, ast.Match),
)


@dataclass(frozen=True, slots=True)
class Effect:
    """What running a statement does to the module's names."""

    binds: tuple[str, ...]
    """Names it may bind."""
    surely: frozenset[str]
    """Those of them that it binds whichever way it goes."""
    mutates: frozenset[str]
    """Names whose attributes or items it assigns."""
    touches: frozenset[str]
    """Names whose objects it may change by a call; counts where they were assigned."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The global names that a statement reads."""

    now: frozenset[str]
    """While it runs."""
    later: frozenset[str]
    """When the functions that it defines are called."""
    calls: bool
    """Whether it calls something while it runs, so that "later" may come at once."""
    declared: frozenset[str]
    """Names that its functions declare `global` and assign."""


NOTHING = Needs(frozenset(), frozenset(), False, frozenset())


def effect(statement: Statement) -> Effect | Fault:
    """What `statement` binds and changes; a fault where it can't be compiled."""
    node = statement.node
    binds = _targets(node)
    surely = frozenset(binds)
    if isinstance(node, COMPOUND):
        table = symbols(statement.text)
        if isinstance(table, Fault):
            return table
        binds = tuple(sorted(_names(table, _is_bound)))
    if ":=" in statement.text:
        binds = (*binds, *_walruses(node))
    if isinstance(node, ast.Import):
        # `import a.b` adds to what an earlier `import a` bound.
        surely = frozenset(x.asname or x.name for x in node.names if x.asname or "." not in x.name)
    mutates: set[str] = set()
    touches: set[str] = set()
    for simple in simple_statements(node):
        mutates.update(_mutated(simple))
        touches.update(_touched(simple))
    return Effect(tuple(dict.fromkeys(binds)), surely, frozenset(mutates), frozenset(touches))


def needs(statement: Statement) -> Needs | Fault:
    """What `statement` reads; a fault where it can't be compiled."""
    node = statement.node
    if isinstance(node, ast.Import | ast.ImportFrom) and not is_future(node):
        return NOTHING
    table = symbols(statement.text)
    if isinstance(table, Fault):
        return table
    now: set[str] = set()
    later: set[str] = set()
    declared: set[str] = set()
    declares = "global" in statement.text
    calls = _calls(node)
    todo = [(table, True)]
    while todo:
        scope, at_once = todo.pop()
        todo += [(child, at_once and _runs_at_once(child, calls)) for child in scope.get_children()]
        if isinstance(scope, symtable.Function):
            names = scope.get_globals()
            later.update(names)
            if at_once:
                now.update(names)
            elif declares:
                declared.update(_names(scope, _is_declared))
        else:
            (now if at_once else later).update(_names(scope, _is_read))
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        now.add(node.target.id)
    if calls and _may_call_its_own(node):
        now |= later
    return Needs(frozenset(now), frozenset(later), calls, frozenset(declared))


def simple_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """`node`, or the statements within it that run as part of it, outside functions and classes."""
    todo: list[ast.AST] = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, (*COMPOUND, ast.ExceptHandler, ast.match_case)):
            for part in ("body", "handlers", "orelse", "finalbody", "cases"):
                todo += getattr(inner, part, ())
        elif isinstance(inner, ast.stmt):
            yield inner


def registrars(node: ast.stmt, defined: set[str]) -> tuple[str, ...]:
    """Names of the functions that a statement hands a definition to: decorators, and what a call
    like `register("lstm", LSTM)` calls, where `LSTM` is one of `defined`.

    Other calls do not count, since those that only show or train something change tables too.
    """
    if isinstance(node, Definition):
        called = [x.func if isinstance(x, ast.Call) else x for x in node.decorator_list]
        return tuple(x.id for x in called if isinstance(x, ast.Name))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function, arguments = node.value.func, (*node.value.args, *_values(node.value))
        if isinstance(function, ast.Name) and any(
            isinstance(x, ast.Lambda) or (isinstance(x, ast.Name) and x.id in defined)
            for x in arguments
        ):
            return (function.id,)
    return ()


def changed_inside(node: ast.stmt) -> set[str]:
    """Names whose objects a function's body may change, its own ones among them."""
    inner = [x for x in ast.walk(node) if isinstance(x, ast.stmt) and x is not node]
    return {name for x in inner for name in (*_mutated(x), *_touched(x))}


def _values(call: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords]


def root(node: ast.expr) -> str:
    """The name that a chain of attributes and items starts from; "" where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_main_guard(node: ast.stmt) -> bool:
    """Whether `node` is an `if __name__ == "__main__":`."""
    if not isinstance(node, ast.If):
        return False
    inner = list(ast.walk(node.test))
    return any(isinstance(x, ast.Name) and x.id == "__name__" for x in inner) and any(
        isinstance(x, ast.Constant) and x.value == "__main__" for x in inner
    )


def is_future(node: ast.stmt) -> bool:
    """Whether `node` is a `from __future__ import ...`."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level


def _targets(node: ast.stmt) -> tuple[str, ...]:
    if isinstance(node, Definition):
        return (node.name,)
    if isinstance(node, ast.Import):
        return tuple(x.asname or x.name.partition(".")[0] for x in node.names)
    if isinstance(node, ast.ImportFrom):
        return tuple(x.asname or x.name for x in node.names if x.name != "*")
    return tuple(
        x.id for target in _assigned(node) for x in _flat(target) if isinstance(x, ast.Name)
    )


def _walruses(node: ast.stmt) -> Iterator[str]:
    """Names that `:=` binds in the module; in a comprehension too, where `symtable` is silent."""
    todo: list[ast.AST] = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.NamedExpr) and isinstance(inner.target, ast.Name):
            yield inner.target.id
        if not isinstance(inner, (*DEFINITIONS, ast.Lambda)):
            todo += ast.iter_child_nodes(inner)


def _assigned(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value):
        return [node.target]
    name = getattr(node, "name", None)  # `type X = ...`, from Python 3.12 on
    return [name] if isinstance(name, ast.Name) else []


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    todo = [target]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Tuple | ast.List):
            todo += reversed(node.elts)
        elif isinstance(node, ast.Starred):
            todo.append(node.value)
        else:
            yield node


def _mutated(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Delete) else _assigned(node)
    found = {root(x) for target in targets for x in _flat(target) if not isinstance(x, ast.Name)}
    if isinstance(node, ast.AugAssign):
        found.add(root(node.target))
    return found - {""}


def _touched(node: ast.stmt) -> set[str]:
    if isinstance(node, Definition):
        calls = [x for x in node.decorator_list if isinstance(x, ast.Call)]
        arguments = [y for x in calls for y in (*x.args, *(k.value for k in x.keywords))]
        # `@kind.register` adds to `kind`.
        plain = [x.func if isinstance(x, ast.Call) else x for x in node.decorator_list]
        owners = [x for x in plain if isinstance(x, ast.Attribute)]
        return {root(x) for x in (*arguments, *owners)} - {""}
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return set()
    call = node.value
    if isinstance(call.func, ast.Attribute):
        return {root(call.func)} - {""}
    by_name = isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr")
    return {root(call.args[0])} - {""} if by_name and call.args else set()


def _calls(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        plain = node.value
        while isinstance(plain, ast.Attribute):
            plain = plain.value
        return not isinstance(plain, ast.Name | ast.Constant | ast.Lambda)
    if isinstance(node, ast.ClassDef):
        return bool(node.decorator_list or node.keywords) or any(
            _calls(x) if isinstance(x, Definition) else _has_call(x) for x in node.body
        )
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = (*node.args.defaults, *node.args.kw_defaults)
        return bool(node.decorator_list) or any(_has_call(x) for x in defaults if x is not None)
    return True


def _may_call_its_own(node: ast.stmt) -> bool:
    """Whether functions that `node` makes may be called while it runs.

    A decorator could do that too, but hardly does; believing it would keep definitions that were
    replaced later.
    """
    if isinstance(node, ast.ClassDef):
        return any(_has_call(x) for x in node.body if not isinstance(x, Definition))
    return not isinstance(node, Definition)


def _has_call(node: ast.AST) -> bool:
    return any(isinstance(x, ast.Call) for x in ast.walk(node))


def _runs_at_once(table: symtable.SymbolTable, calls: bool) -> bool:
    name = table.get_name()
    return (
        str(table.get_type()) == "class" or name in _COMPREHENSIONS or (calls and name == "lambda")
    )


def _names(table: symtable.SymbolTable, wanted: Callable[[symtable.Symbol], bool]) -> set[str]:
    names = table.get_identifiers()
    # `lookup` goes through all children every time; too many names only keep too much.
    if len(names) * len(table.get_children()) > _MAX_LOOKUPS:
        return set(names)
    return {name for name in names if wanted(table.lookup(name))}


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def _is_read(symbol: symtable.Symbol) -> bool:
    return symbol.is_referenced()


def _is_declared(symbol: symtable.Symbol) -> bool:
    return symbol.is_declared_global() and symbol.is_assigned()
