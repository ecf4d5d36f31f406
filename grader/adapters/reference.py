"""What the assignment becomes under an adapter: fewer entries and cases, and a reference that does
what the students' class does besides.

The reference itself is never edited: a generated class or function stands beside it, so that known
mistakes are made in it as ever, and what includes a residual is compared with what includes one.
"""

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.adapters.model import Entry, Written
from grader.errors import CourseError
from grader.mutants import WRAPPED
from grader.types import Case, CheckUse, Criterion, Rubric

FLAT = """
import inspect as adapted_inspect

def adapted_flat(value):
    if not isinstance(value, (tuple, list)):
        return [value]
    return [leaf for each in value for leaf in adapted_flat(each)]
"""


def outputs_of(rubric: Rubric, entry: str) -> tuple[str, ...]:
    """Names of what an entry returns."""
    return next((tuple(c.returns) for c in rubric.cases if c.entry == entry and c.returns), ())


def kept_outputs(rubric: Rubric, entry: str, says: Entry, where: str) -> tuple[str, ...]:
    """Those of them that theirs returns too, in our order.

    Raises:
        CourseError: the adapter names others.
    """
    outputs = outputs_of(rubric, entry)
    if says.returns is None:
        return outputs
    for name in says.returns:
        _known(name, outputs, f"{where}.returns")
    return tuple(name for name in outputs if name in says.returns)


def adapted_rubric(rubric: Rubric, written: Written) -> Rubric:
    """The rubric with what theirs can express.

    Raises:
        CourseError: the adapter names an entry, a case or an output that is not there.
    """
    says, where = written.says, f"{written.path} $.entries"
    for name, entry in says.entries.items():
        _known(name, rubric.entries, where)
        for case in entry.skip:
            own = [each.id for each in rubric.cases if each.entry == name]
            _known(case, own, f"{where}.{name}.skip")
    cases = tuple(_adapted(case, rubric, written) for case in rubric.cases if _asked(case, written))
    left = {case.id for case in cases}
    criteria: list[Criterion] = []
    for criterion in rubric.criteria:
        if criterion.manual:
            criteria.append(criterion)
            continue
        over = tuple(case.id for case in rubric.cases_over(criterion) if case.id in left)
        checks = tuple(
            use for each in criterion.checks if (use := _use(each, criterion, rubric, written))
        )
        if over and checks:
            known = {each.id for each in criteria}
            needs = tuple(need for need in criterion.needs if need in known)
            criteria.append(replace(criterion, over=over, needs=needs, checks=checks))
    forbidden = rubric.forbidden if says.forbidden is None else says.forbidden
    return replace(rubric, cases=cases, criteria=tuple(criteria), forbidden=forbidden)


def _known(name: str, known: Sequence[str], where: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        said = ", ".join(known) or "none"
        raise CourseError(f"expected one of {said}, got {name!r}{hint} @ {where}")


def _asked(case: Case, written: Written) -> bool:
    entry = written.says.entries.get(case.entry)
    return entry is not None and case.id not in entry.skip


def _adapted(case: Case, rubric: Rubric, written: Written) -> Case:
    where = f"{written.path} $.entries.{case.entry}"
    kept = kept_outputs(rubric, case.entry, written.says.entries[case.entry], where)
    return replace(case, returns={n: axes for n, axes in case.returns.items() if n in kept})


def _use(use: CheckUse, criterion: Criterion, rubric: Rubric, written: Written) -> CheckUse | None:
    """A check without the outputs that theirs has not; None where none of its own is left."""
    entry = written.says.entries.get(criterion.entry)
    if entry is None:
        return use
    where = f"{written.path} $.entries.{criterion.entry}"
    kept = kept_outputs(rubric, criterion.entry, entry, where)
    if "state" in use.options and wrapped(rubric, criterion.entry, entry, where):
        cases = [case.id for case in rubric.cases_over(criterion) if _asked(case, written)]
        if cases:
            raise CourseError(
                f"cannot adapt: criterion {criterion.id!r} goes on from the state that comes back, "
                f"and theirs comes back in another form; list its cases in `skip`: "
                f"{', '.join(cases)} @ {where}.skip"
            )
    options = dict(use.options)
    for key in ("outputs", "over"):
        if key in options:
            options[key] = [name for name in options[key] if name in kept]
            if not options[key]:
                return None
    return replace(use, options=options)


def wrapped(rubric: Rubric, entry: str, says: Entry, where: str) -> bool:
    """Whether the reference has to do something besides, or to return less."""
    some = kept_outputs(rubric, entry, says, where) != outputs_of(rubric, entry)
    return some or says.includes is not None


def wrappers(rubric: Rubric, source: str, written: Written) -> dict[str, str]:
    """For each such entry the code that defines, beside the reference, what does it.

    Args:
        rubric: the assignment's own.
        source: the reference.
        written: the adapter.

    Raises:
        CourseError: what is included is no Python, or is in something that is neither a class nor
            a function.
    """
    found: dict[str, str] = {}
    nodes = {node.name: node for node in ast.parse(source).body if hasattr(node, "name")}
    for name, entry in written.says.entries.items():
        where = f"{written.path} $.entries.{name}"
        if not wrapped(rubric, name, entry, where):
            continue
        node = nodes.get(name)
        kept = kept_outputs(rubric, name, entry, where)
        outputs = outputs_of(rubric, name)
        if isinstance(node, ast.ClassDef):
            text = _class(node, entry, outputs, kept)
        elif isinstance(node, ast.FunctionDef):
            text = _function(node, entry, outputs, kept)
        else:
            raise CourseError(
                f"expected a class or a function to have something besides, got {name} @ {where}"
            )
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise CourseError(f"expected Python, got {error.text} @ {where}.includes") from error
        found[name] = FLAT + text
    return found


def _method(node: ast.ClassDef, name: str) -> ast.arguments:
    method = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == name)
    return ast.arguments(
        **{
            **{field: getattr(method.args, field) for field in ast.arguments._fields},
            "args": method.args.args[1:],
        }
    )


def _names(arguments: ast.arguments) -> list[str]:
    return [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]


def _class(node: ast.ClassDef, entry: Entry, outputs: Sequence[str], kept: Sequence[str]) -> str:
    init, forward = _method(node, "__init__"), _method(node, "forward")
    includes = entry.includes
    layers: Mapping[str, str] = includes.layers if includes else {}
    made = [f"self.{name} = {code}" for name, code in layers.items()] or ["pass"]
    own = [f"{name} = self.{name}" for name in layers]
    call = f"super().forward({_handed(forward, entry)})"
    return "\n".join(
        [
            f"class {WRAPPED}{node.name}({node.name}):",
            "    def __init__(self, *args, **kwargs):",
            "        super().__init__(*args, **kwargs)",
            f"        given = adapted_inspect.signature({node.name}).bind(*args, **kwargs)",
            "        given.apply_defaults()",
            "        self.adapted_make(**given.arguments)",
            f"    def adapted_make(self, {ast.unparse(init)}):",
            *(f"        {line}" for line in made),
            f"    def forward(self, {ast.unparse(forward)}):",
            *(f"        {line}" for line in own),
            f"        {', '.join(outputs)}, = adapted_flat({call})",
            f"        return {_returned(entry, kept)}",
            "",
        ]
    )


def _function(
    node: ast.FunctionDef, entry: Entry, outputs: Sequence[str], kept: Sequence[str]
) -> str:
    call = f"{node.name}({_handed(node.args, entry)})"
    return "\n".join(
        [
            f"def {WRAPPED}{node.name}({ast.unparse(node.args)}):",
            f"    {', '.join(outputs)}, = adapted_flat({call})",
            f"    return {_returned(entry, kept)}",
            "",
        ]
    )


def _handed(arguments: ast.arguments, entry: Entry) -> str:
    before = entry.includes.before if entry.includes else {}
    return ", ".join(f"{name}={before.get(name, name)}" for name in _names(arguments))


def _returned(entry: Entry, kept: Sequence[str]) -> str:
    after = entry.includes.after if entry.includes else {}
    found = [after.get(name, name) for name in kept]
    return found[0] if len(found) == 1 else f"({', '.join(found)})"
