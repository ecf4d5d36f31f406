"""Which modules an import finds: installed ones, and other files of the submission."""

import ast
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import PurePath

from grader.load.mentions import imported_modules
from grader.load.parsing import Fault, parse
from grader.load.reading import check_size, decode, made_absolute, tidy
from grader.types import SubmittedFile

_SITE = frozenset({"site-packages", "dist-packages"})


@lru_cache(maxsize=512)
def is_installed(name: str) -> bool:
    """Whether Python would find the top-level module `name` here. Imports nothing."""
    return name in sys.stdlib_module_names or bool(_place(name))


@lru_cache(maxsize=512)
def is_taken(name: str) -> bool:
    """Whether an installed module of that name comes before a submission's own."""
    # A student's own folder is often on the path too: only what was really installed counts.
    return name in sys.stdlib_module_names or bool(_SITE & set(PurePath(_place(name)).parts))


def own_modules(
    files: Iterable[SubmittedFile], chosen: SubmittedFile
) -> Mapping[str, SubmittedFile]:
    """The submission's other modules by the name they are imported by, packages among them."""
    found: dict[str, SubmittedFile] = {}
    for file in files:
        parts = file.name.removesuffix(".py").split("/")
        if file is chosen or not file.name.endswith(".py") or not all(map(str.isidentifier, parts)):
            continue
        for depth in range(1, len(parts)):
            package = SubmittedFile(name="/".join((*parts[:depth], "__init__.py")), content=b"")
            found.setdefault(".".join(parts[:depth]), package)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported_sources(names: Iterable[str], own: Mapping[str, SubmittedFile]) -> dict[str, str]:
    """Source of each of `own` that the modules `names` (dotted) lead to, by name.

    Raises:
        SubmissionError: load.too_large.
    """
    found: dict[str, str] = {}
    todo = [name.partition(".")[0] for name in names]
    while todo:
        top = todo.pop()
        if top in found or top not in own or is_taken(top):
            continue
        for name in (each for each in own if each == top or each.startswith(f"{top}.")):
            check_size(own[name])
            text = tidy(decode(own[name].content)[0])
            found[name] = made_absolute(text, own[name].name)
            tree = parse(found[name])
            if not isinstance(tree, Fault):
                for node in ast.walk(tree):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        todo += [x.partition(".")[0] for x in imported_modules(node)]
    return dict(sorted(found.items()))


def _place(name: str) -> str:
    """Where a module's file is; "" where there is none, as for a bare folder."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return ""
    return spec.origin or "" if spec is not None else ""
