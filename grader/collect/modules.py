"""Which files of a folder are a student's modules, those of an imported package among them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.collect.trees import File, Folder, Refused

MOST_BYTES = {".py": 5_000_000, ".ipynb": 32_000_000}
"""What the loader takes, by suffix; of a larger file one byte more is read, so that it says so."""
MOST_LEVELS = 4
"""How deep in a student's folder the work may lie."""
IGNORED = re.compile(
    r"^(\.|__|Thumbs\.db$|desktop\.ini$)|\.(npz|csv|json|md|txt|log|png|pyc)$", re.IGNORECASE
)
"""Names that are no work of a student's: hidden files, caches, and what comes with the hand-out."""


def suffix(file: File) -> str:
    """The end of a file's name, in small letters."""
    return Path(file.name).suffix.lower()


def is_module(file: File) -> bool:
    """Whether a file is a notebook or module that is not hidden, by its name."""
    return suffix(file) in MOST_BYTES and not file.name.startswith(".")


def is_imported(folder: Folder, by: list[File]) -> bool:
    """Whether a folder is a package that one of some modules imports."""
    if not folder.name.isidentifier():
        return False
    statement = re.compile(rf"^\s*(from\s+\.?{folder.name}\b|import\s+{folder.name}\b)", re.M)
    for file in by:
        try:
            text = file.read(MOST_BYTES[".py"]).decode("utf-8", "replace")
        except Refused:
            continue
        if suffix(file) == ".py" and statement.search(text):
            return True
    return False


def package_modules(folder: Folder, path: str, depth: int = 1) -> Iterator[File]:
    """The modules of a package and of those in it, each named by its path."""
    contents = folder.look()
    for file in contents.files:
        if suffix(file) == ".py" and is_module(file):
            yield replace(file, name=f"{path}/{file.name}")
    for inner in contents.folders:
        if depth < MOST_LEVELS and inner.name.isidentifier() and not IGNORED.match(inner.name):
            yield from package_modules(inner, f"{path}/{inner.name}", depth + 1)
