"""Files on disk -> submissions: who handed in what.

What might be somebody's work and is not recognised is listed; only what comes with the hand-out or
is left behind by tools is passed over.
"""

import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import UsageError
from grader.types import Submission, SubmittedFile

SUFFIXES = (".py", ".ipynb")
MOST_BYTES = 5_000_000
MOST_FILES = 200
IGNORED = re.compile(r"^(\.|__)|\.(npz|csv|json|md|txt|png|pyc)$")
"""Names that are no work of a student's: hidden files, caches, and what comes with the hand-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What some paths hold."""

    submissions: tuple[Submission, ...]
    """One for each student, each name once."""
    skipped: tuple[str, ...]
    """Paths that are no submission, each with the reason."""


def collect(paths: Iterable[Path], assignment: str) -> Found:
    """The submissions in files and folders.

    A file is one submission, named after its stem. A folder that holds `<assignment>.py` or
    `<assignment>.ipynb` is one, named after the folder; any other folder holds submissions: its
    files and its folders.

    Raises:
        UsageError: a path does not exist, is a zip, or none of them holds a submission.
    """
    submissions: list[Submission] = []
    skipped: list[str] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"expected a file or a folder of submissions, got nothing at {path}")
        if path.is_file() and zipfile.is_zipfile(path):
            raise UsageError(
                f"expected a file or a folder, got the archive {path}; unpack it first"
            )
        for found in _below(path, assignment):
            if isinstance(found, Submission):
                submissions.append(found)
            else:
                skipped.append(found)
    if not submissions:
        listed = ", ".join(map(str, paths))
        raise UsageError(
            f"expected notebooks (.ipynb) or modules (.py), found none in {listed}"
            + "".join(f"\n  {each}" for each in skipped)
        )
    return Found(submissions=tuple(_distinct(submissions)), skipped=tuple(skipped))


def _below(path: Path, assignment: str) -> Iterator[Submission | str]:
    if path.is_symlink():
        yield f"{path}: a link; links are not followed"
    elif path.is_file():
        yield _of_file(path, assignment)
    elif _is_one(path, assignment):
        yield _of_folder(path, assignment)
    else:
        for child in sorted(path.iterdir()):
            if child.is_symlink():
                yield f"{child}: a link; links are not followed"
            elif child.is_file() and _is_module(child) and not child.name.startswith("."):
                yield _of_file(child, assignment)
            elif child.is_dir() and not IGNORED.match(child.name):
                yield _of_folder(child, assignment) if any(child.iterdir()) else f"{child}: empty"
            elif not IGNORED.search(child.name):
                yield f"{child}: neither a notebook nor a module"


def _is_one(folder: Path, assignment: str) -> bool:
    return any(path.stem == assignment and _is_module(path) for path in folder.iterdir())


def _is_module(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file() and not path.is_symlink()


def _modules(folder: Path) -> list[Path]:
    """A folder's notebooks and modules; where it has none, those of the folders in it.

    A student's folder without any is a submission all the same, which the loader then refuses.
    """
    found = sorted(filter(_is_module, folder.iterdir()))
    if not found:
        inner = (path for path in sorted(folder.iterdir()) if path.is_dir())
        visible = (path for path in inner if not path.is_symlink() and not IGNORED.match(path.name))
        found = [path for each in visible for path in sorted(filter(_is_module, each.iterdir()))]
    return found[:MOST_FILES]


def _of_file(path: Path, assignment: str) -> Submission:
    return Submission(
        student=path.stem, assignment=assignment, path=str(path), files=(_read(path),)
    )


def _of_folder(folder: Path, assignment: str) -> Submission:
    return Submission(
        student=folder.resolve().name,
        assignment=assignment,
        path=str(folder),
        files=tuple(_read(path) for path in _modules(folder)),
    )


def _read(path: Path) -> SubmittedFile:
    """A file; of one that is too large, just enough for the loader to say so."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"expected a readable file, got {error.strerror} @ {path}") from error
    return SubmittedFile(name=_printable(path.name), content=content)


def _printable(name: str) -> str:
    """A file name as text; bytes that are no UTF-8 become question marks."""
    return os.fsencode(name).decode("utf-8", "replace")


def _distinct(submissions: list[Submission]) -> Iterator[Submission]:
    """Each with a name of its own: the second "ada" is "ada (2)"."""
    counts: dict[str, int] = {}
    for submission in submissions:
        name = _printable(submission.student)
        counts[name] = counts.get(name, 0) + 1
        number = counts[name]
        yield replace(submission, student=name if number == 1 else f"{name} ({number})")
