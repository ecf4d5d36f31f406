"""What the source mentions: API by its dotted name, devices, float32."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from grader.load.scopes import COMPOUND

DEVICES = ("cuda", "mps")
_STRINGS = frozenset({"cuda", "mps", "float32"})


@dataclass(slots=True)
class Mentions:
    """Found in one walk over one piece of syntax."""

    chains: list[tuple[ast.expr, str, str]] = field(default_factory=list)
    """Node, the name it starts from, and ".attribute.attribute" behind it."""
    strings: list[ast.Constant] = field(default_factory=list)
    """String constants that name a device or float32."""
    methods: list[tuple[ast.Call, str]] = field(default_factory=list)
    """Calls of `.cuda()` and of `.float()`."""
    loaders: list[ast.expr] = field(default_factory=list)
    """What is called with worker processes; a DataLoader, if it is one."""
    imported: dict[str, str] = field(default_factory=dict)
    """Names bound by imports inside, to what they stand for."""
    modules: list[str] = field(default_factory=list)
    """Modules that are imported inside."""


def mentions(top: ast.AST, portable: frozenset[int] = frozenset()) -> Mentions:
    """Everything of interest in `top`, functions and classes within it included.

    Args:
        top: where to look.
        portable: ids of string constants that are right as they are.
    """
    found = Mentions()
    # Strings that a choice by availability makes, or that are compared, are right as they are.
    exempt = set(portable)
    todo: list[ast.AST] = [top]
    while todo:
        node = todo.pop()
        kind = type(node)
        if kind is ast.Name:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.chains.append((node, node.id, ""))
            continue
        if kind is ast.Constant:
            if isinstance(node, ast.Constant) and _is_named(node) and id(node) not in exempt:
                found.strings.append(node)
            continue
        if isinstance(node, ast.Attribute):
            todo += _chain(node, found)
            continue
        if isinstance(node, ast.Call):
            _call(node, found)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.imported.update(imported_names(node))
            found.modules += imported_modules(node)
            continue
        elif isinstance(node, ast.Compare | ast.MatchValue | ast.JoinedStr):
            exempt.update(_constants(ast.iter_child_nodes(node)))
        elif isinstance(node, ast.If | ast.IfExp) and _asks_availability(node.test):
            exempt.update(_constants(_walk_all(node)))
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                todo += [x for x in value if isinstance(x, ast.AST)]
            elif isinstance(value, ast.AST) and name != "ctx":
                todo.append(value)
    return found


def chosen_by_availability(top: ast.stmt) -> frozenset[int]:
    """Ids of the constants in the branches of a top-level `if torch.cuda.is_available():`."""
    return frozenset(
        constant
        for node in (ast.walk(top) if isinstance(top, COMPOUND) else ())
        if isinstance(node, ast.If) and _asks_availability(node.test)
        for constant in _constants(_walk_all(node))
    )


def units(node: ast.stmt, owner: str) -> Iterator[tuple[str, ast.AST]]:
    """A statement as pieces, each with the top-level definition that it is part of."""
    todo: list[ast.AST] = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, (*COMPOUND, ast.ExceptHandler, ast.match_case)):
            for child in ast.iter_child_nodes(inner):
                if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                    todo.append(child)
                else:
                    yield owner, child
        else:
            name = getattr(inner, "name", "")
            yield name if isinstance(name, str) and name else owner, inner


def imported_names(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """The names an import binds, to the dotted names they stand for."""
    if isinstance(node, ast.Import):
        return {
            x.asname or x.name.partition(".")[0]: x.name if x.asname else x.name.partition(".")[0]
            for x in node.names
        }
    module = node.module or ""
    prefix = f"{module}." if module else ""
    return {x.asname or x.name: prefix + x.name for x in node.names if x.name != "*"}


def imported_modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules an import may load, dotted."""
    if isinstance(node, ast.Import):
        return [x.name for x in node.names]
    if node.module:
        return [node.module]
    return [x.name for x in node.names]


def dotted(node: ast.expr) -> tuple[str, str] | None:
    """A name and the ".attribute.attribute" behind it; None where `node` is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append("." + node.attr)
        node = node.value
    return (node.id, "".join(reversed(parts))) if isinstance(node, ast.Name) else None


def aliases(statements: Iterable[ast.stmt]) -> Mapping[str, str]:
    """What module-level names stand for, by imports and by assignments such as `F = nn.functional`.

    Imports inside `if`, `try` and the like count; those inside functions do not.
    """
    known: dict[str, str] = {}
    for statement in statements:
        for _, node in units(statement, ""):
            if isinstance(node, ast.Import | ast.ImportFrom):
                known.update(imported_names(node))
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    _assign(target, node.value, known)
    return known


def _assign(target: ast.expr, value: ast.expr, known: dict[str, str]) -> None:
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        pairs = list(zip(target.elts, value.elts, strict=False))
    for name, source in pairs:
        chain = dotted(source)
        if isinstance(name, ast.Name) and chain and chain[0] in known:
            known[name.id] = known[chain[0]] + chain[1]


def _chain(node: ast.Attribute, found: Mentions) -> list[ast.AST]:
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append("." + inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        found.chains.append((node, inner.id, "".join(reversed(parts))))
        return []
    return [inner]


def _call(node: ast.Call, found: Mentions) -> None:
    workers = [x.value for x in node.keywords if x.arg == "num_workers"] or node.args[5:6]
    if workers and not (isinstance(workers[0], ast.Constant) and not workers[0].value):
        found.loaders.append(node.func)
    if isinstance(node.func, ast.Attribute):
        if node.func.attr == "cuda" or (node.func.attr == "float" and not node.args):
            found.methods.append((node, f".{node.func.attr}()"))
    elif isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
        chain, name = dotted(node.args[0]), node.args[1]
        if chain and isinstance(name, ast.Constant) and isinstance(name.value, str):
            found.chains.append((node, chain[0], f"{chain[1]}.{name.value}"))


def _is_named(node: ast.Constant) -> bool:
    value = node.value
    if not isinstance(value, str) or len(value) > 12:
        return False
    head, _, number = value.partition(":")
    return value in _STRINGS or (head in DEVICES and number.isdigit())


def _asks_availability(test: ast.expr) -> bool:
    return any(isinstance(x, ast.Attribute) and x.attr == "is_available" for x in ast.walk(test))


def _constants(nodes: Iterable[ast.AST]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, ast.Constant):
            yield id(node)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from (id(x) for x in node.elts if isinstance(x, ast.Constant))


def _walk_all(node: ast.If | ast.IfExp) -> Iterator[ast.AST]:
    for branch in (node.body, node.orelse):
        for part in branch if isinstance(branch, list) else [branch]:
            yield from ast.walk(part)
