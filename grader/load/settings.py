"""Calls at the top of a file that set Python or a generator up: kept, though no name needs them.

Deep recursion would else fail here and not at the student's, and a table drawn at random at the
top of a file would be another one.
"""

import ast
import re
from collections.abc import Iterable

from grader.load.mentions import dotted, imported_names
from grader.load.parsing import Statement
from grader.load.scopes import Definition
from grader.load.slicing import Reach, Slicer

SEEDS = frozenset({"random.seed", "numpy.random.seed", "torch.manual_seed"})
UNSEEDED = frozenset({"sys.setrecursionlimit"})
SETTINGS = SEEDS | UNSEEDED
_DRAWS = re.compile(r"rand|\b(nn|normal|uniform|shuffle|choice|sample|permutation|dropout)\b")


def settings(slices: Slicer, reaches: Iterable[Reach]) -> Reach:
    """The statements `sys.setrecursionlimit(...)` and their like, with the imports they need.

    A seed only where something that the wanted names need is drawn while the file is run. And only
    with a plain number, or a name for one: what is computed may depend on anything, a command line
    for one.
    """
    statements: set[int] = set()
    bound: set[tuple[int, str]] = set()
    imported: dict[str, tuple[int, str]] = {}
    numbers: dict[str, int] = {}
    needed = {index for reach in reaches for index in reach.statements}
    wanted = SETTINGS if any(_draws(slices.program.statements[i]) for i in needed) else UNSEEDED
    for index, statement in enumerate(slices.program.statements):
        node = statement.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {name: (index, api) for name, api in imported_names(node).items()}
            continue
        for name in slices.effects[index].binds:
            imported.pop(name, None)
            numbers.pop(name, None)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                numbers[name] = index
        chain, number = _setting(node)
        origin, api = imported.get(chain[0], (0, ""))
        if api + chain[1] not in wanted or (number and number not in numbers):
            continue
        statements |= {index, origin}
        bound.add((origin, chain[0]))
        if number:
            statements.add(numbers[number])
            bound.add((numbers[number], number))
    return Reach(frozenset(statements - slices.faults.keys()), frozenset(bound))


def _draws(statement: Statement) -> bool:
    """Whether a statement may draw random numbers while it runs, by the words in it."""
    runs = not isinstance(statement.node, Definition | ast.Import | ast.ImportFrom)
    return runs and _DRAWS.search(statement.text) is not None


def _setting(node: ast.stmt) -> tuple[tuple[str, str], str]:
    """Of a call with one plain argument: the name and the attributes that are called, and the
    argument where it is a name.
    """
    nothing = ("", ""), ""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return nothing
    call = node.value
    argument = call.args[0] if len(call.args) == 1 and not call.keywords else None
    if not isinstance(argument, ast.Constant | ast.Name):
        return nothing
    return dotted(call.func) or nothing[0], argument.id if isinstance(argument, ast.Name) else ""
