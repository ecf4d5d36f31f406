"""A course on disk: the folder, the file and the YAML that make an assignment."""

import difflib
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.cases import expressions
from grader.checks import CHECKS
from grader.errors import CourseError, UsageError
from grader.rubric import read_rubric
from grader.types import Arrays, Rubric, SubmittedFile

PARTS = ("assignments", "reference", "rubrics")
SECRET_FILE = ".grader-secret"
DEFAULT_SECRET = "default"
NOT_READ = (OSError, ValueError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What damaged files of arrays raise on being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assignment of a course, read."""

    name: str
    """Its name."""
    rubric: Rubric
    """What `rubrics/x.yaml` says."""
    reference: SubmittedFile
    """`reference/x.py`."""
    skeleton: bytes
    """`assignments/x/x.py`, what a student starts from; empty where it is not released yet."""
    files: Mapping[str, Arrays]
    """Arrays of `assignments/x/*.npz`, but for the public cases, by file name."""
    folder: Path
    """`assignments/x`."""
    digest: str
    """Hash of everything here that decides a mark."""


def find_course(start: Path, named: Path | None = None) -> Path:
    """The course that was named, or the nearest folder, `start` or above it, that is one.

    Raises:
        UsageError: there is none.
    """
    if named is not None:
        if _is_course(named):
            return named.resolve()
        raise UsageError(f"expected a course (a folder with {', '.join(PARTS)}), got {named}")
    for folder in (start.resolve(), *start.resolve().parents):
        if _is_course(folder):
            return folder
    raise UsageError(
        f"expected a course (a folder with {', '.join(PARTS)}) at {start} or above it, found none; "
        "name one with --course DIR"
    )


def _is_course(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in PARTS)


def assignment_names(course: Path) -> tuple[str, ...]:
    """Names of the course's assignments: its rubrics."""
    return tuple(sorted(path.stem for path in (course / "rubrics").glob("*.yaml")))


def read_assignment(course: Path, name: str) -> Assignment:
    """One assignment of a course.

    Raises:
        UsageError: the course has no such assignment.
        CourseError: its rubric or its reference can't be read.
    """
    known = assignment_names(course)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
        raise UsageError(f"expected an assignment of {course}, got {name!r}; {hint}")
    rubric_path = course / "rubrics" / f"{name}.yaml"
    rubric = read_rubric(rubric_path, tuple(CHECKS))
    for index, case in enumerate(rubric.cases):
        try:
            expressions(case)
        except CourseError as error:
            raise CourseError(f"{error} @ {rubric_path} $.cases[{index}].args") from error
    if rubric.assignment != name:
        raise CourseError(
            f"expected {name!r}, got {rubric.assignment!r} @ {rubric_path} $.assignment"
        )
    folder = course / "assignments" / name
    reference = _bytes(course / "reference" / f"{name}.py")
    skeleton = folder / f"{name}.py"
    data = _data_files(folder)
    digest = hashlib.sha256()
    for content in (reference, _bytes(rubric_path), *map(_bytes, data)):
        digest.update(len(content).to_bytes(8) + content)
    return Assignment(
        name=name,
        rubric=rubric,
        reference=SubmittedFile(name=f"{name}.py", content=reference),
        skeleton=_bytes(skeleton) if skeleton.exists() else b"",
        files=read_files(folder),
        folder=folder,
        digest=digest.hexdigest(),
    )


def read_files(folder: Path) -> dict[str, Arrays]:
    """Arrays of a folder's data files, by file name.

    Raises:
        CourseError: one can't be read.
    """
    return {path.name: read_arrays(path) for path in _data_files(folder)}


def _data_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npz") if path.name != "public.npz")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of one .npz file, by name.

    Raises:
        CourseError: it is not there or damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except NOT_READ as error:
        raise CourseError(f"expected arrays, got {error} @ {path}") from error


def course_secret(course: Path) -> str:
    """The secret that hidden inputs are drawn from: `GRADER_SECRET`, or an untracked file."""
    if from_environment := os.environ.get("GRADER_SECRET"):
        return from_environment
    path = course / SECRET_FILE
    return path.read_text(encoding="utf-8").strip() if path.exists() else DEFAULT_SECRET


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"expected a file, got {error.strerror} @ {path}") from error
