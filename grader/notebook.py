"""`grader.check("lstm")` in a notebook: what the running kernel has executed, as a table.

The kernel only gives its cell history. That is loaded and run in a worker, like any submission, so
that the kernel's dtype, seeds and modules stay as they are and a loop without end ends there.
"""

import atexit
import json
import os
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, wraps
from io import StringIO
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rich.console import Console

from grader.errors import CourseError, SubmissionError
from grader.expected import top_level
from grader.load import same_code
from grader.packing import MANIFEST, code_files, fetched, place, unpacked
from grader.reports.asked import first_calls
from grader.reports.student import check_html
from grader.reports.terminal import check_report
from grader.reports.view import StudentView, student_view
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.spoken import default_language
from grader.student import Public, check_work, public_part, work_in
from grader.types import Note, Submission, SubmittedFile

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 88
DROPPED = "load.dropped"
"""Not worth saying of a kernel: a history is full of what no answer depends on."""


def seeds_kept(function: Callable[P, R]) -> Callable[P, R]:
    """The function, after which Python's own generator stands where it stood: rich uses it."""

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        state = random.getstate()
        try:
            return function(*args, **kwargs)
        finally:
            random.setstate(state)

    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a check found, as a notebook or a terminal shows it."""

    view: StudentView
    """What was found."""
    calls: Mapping[str, str]
    """What was called in each public case."""
    language: str
    """"en" or "ko"."""

    def _repr_html_(self) -> str:
        return check_html(self.view, self.language, self.calls)

    @seeds_kept
    def __repr__(self) -> str:
        text = StringIO()
        Console(file=text, width=WIDTH, force_jupyter=False, color_system=None).print(
            check_report(self.view, self.language, self.calls)
        )
        return text.getvalue().rstrip()


@seeds_kept
def check(assignment: str | None = None, *, lang: str | None = None) -> Shown:
    """Checks what the kernel has executed against the public cases; elsewhere, the saved file.

    Args:
        assignment: its name; that of the folder by default.
        lang: "en" or "ko"; the system's language by default.

    Raises:
        UsageError: there are no public cases, or outside of a notebook no file.
        CourseError: the public cases can't be read.
    """
    here = Path.cwd()
    inside = here / (assignment or "") if assignment else here
    start = inside if (inside / "public.json").is_file() else here
    named = None if (start / "public.json").is_file() else assignment
    public = public_part(None, named, start)
    cells = executed()
    notes: tuple[Note, ...] = ()
    if cells is None:
        submission = work_in(None, start, public)
    else:
        submission = as_notebook(cells, public.name)
        notes = _unsaved(submission, public, here)
    checked = check_work(submission, public, _runner())
    kept = [note for note in checked.grade.notes if cells is None or note.code != DROPPED]
    graded = replace(checked.grade, notes=(*notes, *kept))
    return Shown(
        view=student_view(graded),
        calls=first_calls(checked.asked),
        language=lang or default_language(),
    )


def fetch(assignment: str, source: str) -> None:
    """Puts what is handed out with an assignment, its code aside, where `check` finds it.

    Raises:
        CourseError: it can't be had, and is not there from before.
    """
    if Path("public.json").is_file():
        return
    folder = Path(assignment)
    try:
        manifest, files = unpacked(fetched(source), source)
    except CourseError:
        if (folder / MANIFEST).is_file():
            return
        raise
    code = code_files(manifest.assignment)
    kept = {name: content for name, content in files.items() if name not in code}
    place(kept, manifest.assignment, folder)


def executed() -> list[str] | None:
    """The cells that the running kernel has executed, in order; None outside of one.

    What was executed again in the same words counts where it stood last.
    """
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is None:
        return None
    cells = [str(cell) for cell in shell.history_manager.input_hist_raw[1:]]
    last = {cell: number for number, cell in enumerate(cells)}
    return [cell if last[cell] == number else "" for number, cell in enumerate(cells)]


def as_notebook(cells: list[str], assignment: str) -> Submission:
    """Executed cells as a submission; cell 3 is `In [3]`."""
    tree: dict[str, Any] = {
        "cells": [{"cell_type": "code", "source": cell} for cell in cells],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    content = json.dumps(tree).encode()
    file = SubmittedFile(name=f"{assignment}.ipynb", content=content)
    return Submission(student="", assignment=assignment, path="the kernel", files=(file,))


def _unsaved(ran: Submission, public: Public, here: Path) -> tuple[Note, ...]:
    """A warning where the file that will be handed in holds other code than the kernel ran."""
    named = os.environ.get("JPY_SESSION_NAME", "")
    places = [Path(named)] if named.endswith(".ipynb") else []
    saved = next((p for p in [*places, here / f"{public.name}.ipynb"] if p.is_file()), None)
    if saved is None:
        return ()
    file = SubmittedFile(name=f"{public.name}.ipynb", content=saved.read_bytes())
    entries = top_level(public.bundle.standard.rubric)
    try:
        if same_code(ran, replace(ran, files=(file,)), entries):
            return ()
    except SubmissionError:
        pass  # one that can't be read is not what the kernel ran
    return (Note(code="student.unsaved", facts={"file": saved.name}),)


@cache
def _runner() -> Runner:
    """Runs jobs in a process that stays warm as long as the kernel lives."""
    zygote = warm_process()
    atexit.register(zygote.close)
    return Runner(zygote)
