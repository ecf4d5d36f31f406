"""Which modules an import finds: installed ones, and other files of the submission."""

import ast
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import PurePath

from grader.load.mentions import imported_modules
from grader.load.parsing import Fault, parse
from grader.load.reading import check_size, decode, tidy
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
    """The submission's other modules by the name they are imported by."""
    return {
        file.name[:-3]: file
        for file in files
        if file is not chosen and file.name.endswith(".py") and file.name[:-3].isidentifier()
    }


def imported_sources(names: Iterable[str], own: Mapping[str, SubmittedFile]) -> dict[str, str]:
    """Source of each of `own` that the modules `names` (dotted) lead to, by name.

    Raises:
        SubmissionError: load.too_large.
    """
    found: dict[str, str] = {}
    todo = [name.partition(".")[0] for name in names]
    while todo:
        name = todo.pop()
        if name in found or name not in own or is_taken(name):
            continue
        check_size(own[name])
        found[name] = tidy(decode(own[name].content)[0])
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
