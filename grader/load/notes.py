"""What is said about a file that was loaded: left out, not Python, not installed."""

import ast
from collections.abc import Mapping

from grader.load.keeping import Kept, star_found
from grader.load.modules import is_installed, is_taken
from grader.load.scopes import Definition
from grader.load.slicing import Reach, Slicer
from grader.types import Facts, Note, SubmittedFile

_MOST = 20
"""Notes of one kind; a file that has more is not read to the end by anyone."""

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_BLOCKS = (ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def file_notes(slices: Slicer, kept: list[Kept]) -> list[Note]:
    """What was left out of the file, and how it had to be read."""
    program = slices.program
    notes = []
    if program.odd_encoding:
        facts: Facts = {"file": program.file, "encoding": program.odd_encoding}
        notes.append(Note(code="load.encoding", facts=facts))
    for cell in program.broken[:_MOST]:
        facts = {
            "line": cell.origin.line,
            "text": cell.fault.text,
            "reason": cell.fault.reason,
            "defines": list(cell.defines),
        }
        notes.append(Note(code="load.cell_syntax", facts=facts, origin=cell.origin))
    for index, fault in sorted(slices.faults.items())[:_MOST]:
        at = program.statements[index].line + fault.line - 2
        facts = {
            "line": program.origins[at].line,
            "text": fault.text,
            "reason": fault.reason,
            "defines": [*slices.effects[index].binds],
        }
        notes.append(Note(code="load.cell_syntax", facts=facts, origin=program.origins[at]))
    staying = {x.index for x in kept} | slices.faults.keys()
    kinds = ["magics"] * program.magics + [
        "main_guards" if i in slices.guards else _kind(x.node)
        for i, x in enumerate(program.statements)
        if i not in staying
    ]
    counted = [kind for kind in kinds if kind]
    if counted:
        facts = {"count": len(counted), "kinds": list(dict.fromkeys(sorted(counted)))}
        notes.append(Note(code="load.dropped", facts=facts))
    return notes


def _kind(node: ast.stmt) -> str:
    """What a dropped statement is called; "" for what nobody misses."""
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant):
            return ""
        return "calls" if isinstance(node.value, ast.Call | ast.Await) else "expressions"
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return ""
    if isinstance(node, Definition):
        return "definitions"
    if isinstance(node, _ASSIGNMENTS):
        return "assignments"
    if isinstance(node, _LOOPS):
        return "loops"
    return "blocks" if isinstance(node, _BLOCKS) else "statements"


def module_notes(
    slices: Slicer,
    kept: list[Kept],
    reaches: Mapping[str, Reach],
    own: Mapping[str, SubmittedFile],
    everything: bool,
) -> list[Note]:
    """Modules that are needed and not there, or that hide behind an installed one."""
    program = slices.program
    notes: list[Note] = []
    wanted: list[tuple[str, int, list[str]]] = []
    for item in kept:
        if isinstance(item.node, ast.Import | ast.ImportFrom):
            for module, names in _imports(item.node):
                users = [
                    entry
                    for entry, reach in reaches.items()
                    if everything or any((item.index, name) in reach.bound for name in names)
                ]
                wanted.append((module, item.index, users))
    for index in slices.stars:
        node = program.statements[index].node
        users = [entry for entry, reach in reaches.items() if reach.unresolved]
        if isinstance(node, ast.ImportFrom) and not star_found(node, own):
            wanted.append((node.module or "", index, users))
    said: set[tuple[str, str]] = set()
    for module, index, users in sorted(wanted, key=lambda x: x[1]):
        top = module.partition(".")[0]
        node = program.statements[index].node
        code = ""
        if top in own:
            code = "load.shadowed_module" if is_taken(top) else ""
        elif _unguarded(node) and users and not is_installed(top):
            code = "load.missing_module"
        if len(notes) == _MOST:
            break
        if code and (code, module) not in said:
            said.add((code, module))
            facts: Facts = {"module": module, "entries": users}
            if code == "load.shadowed_module":
                facts = {"module": top, "file": own[top].name}
            origin = program.origins[program.statements[index].line - 1]
            notes.append(Note(code=code, facts=facts, origin=origin))
    return notes


def _imports(node: ast.Import | ast.ImportFrom) -> list[tuple[str, list[str]]]:
    """Each imported module with the names that it binds."""
    if isinstance(node, ast.Import):
        return [(x.name, [x.asname or x.name.partition(".")[0]]) for x in node.names]
    return [(node.module or "", [x.asname or x.name for x in node.names])]


def _unguarded(node: ast.stmt) -> bool:
    """Whether a statement is an import of another package, not one that `try` stands around."""
    return isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
