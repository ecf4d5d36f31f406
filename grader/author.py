"""The author's room: a reference becomes what a student gets."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.assignment import Assignment
from grader.course import Settings
from grader.errors import CourseError
from grader.expected import from_reference, same_bundle, to_bundle
from grader.mistakes import FromReference, NotKept, PatchedReference, told
from grader.packing import folder_files, student_folder
from grader.sandbox.runner import Runner

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
HOLE = ("# YOUR CODE HERE", "raise NotImplementedError")
MARK = re.compile(r"^(\s*)(# (?:BEGIN|END) SOLUTION)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The generated files of an assignment."""

    files: dict[str, bytes]
    """Content by file name."""
    tolerance: float
    """How far expected values may lie apart and still be fresh."""


def release(assignment: Assignment, secret: str, runner: Runner) -> Release:
    """What a student gets of an assignment, but for the hand-written files.

    Raises:
        CourseError: the reference fails, or its solution regions are not balanced.
    """
    name = assignment.name
    standard = from_reference(assignment, runner.run, secret)
    skeleton = make_skeleton(assignment.reference.content.decode("utf-8"), f"reference/{name}.py")
    rubric, source = assignment.rubric, assignment.reference.content.decode("utf-8")
    mistakes = FromReference(
        PatchedReference(rubric, source, standard.trials, runner.run), NotKept()
    )
    shown = tuple(trial for trial in standard.trials if not trial.hidden)
    bundle, arrays = to_bundle(standard, skeleton, told(mistakes, shown))
    return Release(
        files={
            f"{name}.py": skeleton.encode(),
            f"{name}.ipynb": make_notebook(skeleton, name).encode(),
            "public.json": bundle.encode(),
            "public.npz": arrays,
        },
        tolerance=standard.rubric.tolerance.rtol,
    )


def make_skeleton(reference: str, where: str) -> str:
    """The reference with a hole in place of every solution region.

    Raises:
        CourseError: a region begins within another, or does not end.
    """
    lines: list[str] = []
    opened = 0
    for number, line in enumerate(reference.splitlines(), start=1):
        mark = MARK.match(line)
        if mark is None:
            if not opened:
                lines.append(line)
            continue
        if (mark[2] == BEGIN) == bool(opened):
            expected = END if opened else BEGIN
            raise CourseError(f"expected {expected!r}, got {mark[2]!r} @ {where} line {number}")
        opened = 0 if opened else number
        if opened:
            lines += [mark[1] + text for text in HOLE]
    if opened:
        raise CourseError(f"expected {END!r} after line {opened}, got the end @ {where}")
    return "\n".join(lines) + "\n"


def make_notebook(module: str, name: str) -> str:
    """A module in percent format as a notebook, with cell ids that never change by themselves."""
    import jupytext  # noqa: PLC0415 - 0.22 s, and only `release` takes this path
    import nbformat  # noqa: PLC0415 - comes with it

    notebook = jupytext.reads(module, fmt="py:percent")
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"{name}-{index}"
        cell["metadata"] = {}
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    return str(nbformat.writes(notebook)) + "\n"


def stale(released: Release, folder: Path) -> tuple[str, ...]:
    """Names of the files in `folder` that are not what `release` makes now.

    Text is compared exactly, expected values within the tolerance: another machine's rounding is
    no reason to release again.
    """
    return tuple(
        name
        for name, content in released.files.items()
        if not (folder / name).is_file()
        or not _same(name, content, (folder / name).read_bytes(), released.tolerance)
    )


def _same(name: str, new: bytes, old: bytes, tolerance: float) -> bool:
    if name.endswith(".json") and new != old:
        return same_bundle(new, old)
    if not name.endswith(".npz"):
        return new == old
    try:
        with np.load(io.BytesIO(new)) as left, np.load(io.BytesIO(old)) as right:
            return set(left.files) == set(right.files) and all(
                left[key].shape == right[key].shape
                and np.allclose(left[key], right[key], rtol=tolerance, atol=1e-9, equal_nan=True)
                for key in left.files
            )
    except (OSError, ValueError):
        return False


def write(released: Release, assignment: Assignment) -> tuple[Path, ...]:
    """Writes the generated files that are not fresh into the course: what was written."""
    assignment.folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in _chosen(released, assignment).items():
        path = assignment.folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
            written.append(path)
    return tuple(written)


def hand_out(released: Release, assignment: Assignment, settings: Settings) -> dict[str, bytes]:
    """All that a student gets of an assignment, by file name, hand-written files included."""
    written = folder_files(assignment.folder) if assignment.folder.is_dir() else {}
    files = {**written, **_chosen(released, assignment)}
    return student_folder(files, assignment.name, settings)


def _chosen(released: Release, assignment: Assignment) -> dict[str, bytes]:
    """The generated files, as the course has them already where it has them fresh.

    So that another machine's rounding makes no other version.
    """
    chosen = {}
    for name, content in released.files.items():
        path = assignment.folder / name
        old = path.read_bytes() if path.is_file() else None
        fresh = old is not None and _same(name, content, old, released.tolerance)
        chosen[name] = old if fresh and old is not None else content
    return chosen
