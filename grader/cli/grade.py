"""`grader grade`: a class of submissions."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course
from grader.cli.options import (
    INTERRUPTED,
    WITHHELD,
    WORKERS,
    AdapterOption,
    CourseOption,
    JsonOption,
    LanguageOption,
    UnisolatedOption,
    WorkersOption,
    progress_bar,
)
from grader.collect import Found, collect
from grader.course import course_roster, gradebook_place, require
from grader.errors import UsageError
from grader.executors import Executor, executor
from grader.gradebook import Gradebook
from grader.instructor import ClassResult, Marker, grade_class
from grader.profile import Profile
from grader.reports.classroom import grades_json
from grader.reports.legible import visible
from grader.reports.terminal import class_report
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.spoken import Language
from grader.types import Status

command = typer.Typer(add_completion=False)

BranchesOption = Annotated[
    bool, typer.Option("--branches", help="A Git repository has a branch for each student.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run them on the Dask cluster of this scheduler."),
]
ProfileOption = Annotated[
    bool, typer.Option("--profile", help="Say where the time went, stage by stage.")
]


def print_class(result: ClassResult, lang: Language, *, as_json: bool) -> None:
    """What grading a class gave: as JSON, or as a table and where the page is."""
    if as_json:
        sys.stdout.write(grades_json(result.grades))
        return
    console = Console()
    console.print(class_report(result.grades, lang))
    console.print(str(result.page), soft_wrap=True, markup=False, highlight=False)


Desk = tuple[Marker, Executor]
"""What marks submissions, and what runs it on them."""


@contextmanager
def here(
    root: Path,
    assignment: str,
    workers: int,
    adapter: Path | None,
    *,
    begin: bool,
    unisolated: bool,
) -> Iterator[Desk]:
    """Grading on this machine, in children of one warm process."""
    zygote = warm_process()
    try:
        if begin:
            zygote.begin()  # while the rubric is read
        marker = Marker(root, assignment, Runner(zygote, workers), adapter=adapter)
        require(zygote.isolation(), root, hides=marker.hides, unisolated=unisolated)
        zygote.training = marker.trains
        yield marker, executor(workers)
    finally:
        zygote.close()


def elsewhere(
    root: Path, assignment: str, scheduler: str, adapter: Path | None, *, unisolated: bool
) -> AbstractContextManager[Desk]:
    """Grading on a cluster.

    Raises:
        UsageError: what it takes is not installed, or an adapter is named.
    """
    if adapter is not None:
        raise UsageError("expected --adapter without --scheduler, got both")
    if importlib.util.find_spec("distributed") is None:
        raise UsageError(
            "expected dask.distributed for --scheduler, found none; "
            "pip install 'sequence-grader[cluster]'"
        )
    from grader.remote import cluster_marker  # noqa: PLC0415 - 0.8 s, not installed everywhere

    return cluster_marker(root, assignment, scheduler, unisolated=unisolated)


def leave(result: ClassResult, quiet: Console) -> None:
    """Ends the command with the exit code that is due."""
    if result.missing:
        quiet.print(
            f"interrupted: {result.missing} not graded yet; the same command goes on from here",
            style="yellow",
        )
        raise typer.Exit(INTERRUPTED)
    if any(each.status is Status.WITHHELD for each in result.grades):
        raise typer.Exit(WITHHELD)


def print_found(found: Found, console: Console) -> None:
    """What was not taken, who is missing, whose submission is nobody's, and who is late."""
    for skipped in found.skipped:
        console.print(f"skipped {skipped}", style="yellow", markup=False, highlight=False)
    late = [student for student, receipt in found.receipts.items() if receipt.late]
    lists = (
        ("not in the roster", found.unmapped),
        ("nothing handed in", found.missing),
        ("late, as the LMS says", late),
    )
    for what, names in lists:
        if names:
            line = f"{what} ({len(names)}): {', '.join(visible(name) for name in names)}"
            console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


@command.command()
def grade(
    lang: LanguageOption,
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or zips of submissions.")],
    course: CourseOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results.")] = None,
    workers: WorkersOption = WORKERS,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what is known.")] = False,
    unisolated: UnisolatedOption = False,
    each_branch: BranchesOption = False,
    scheduler: SchedulerOption = None,
    profiled: ProfileOption = False,
    adapter: AdapterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grade submissions, and write marks, reports and a class page."""
    root = find_course(Path.cwd(), course)
    found = collect(paths, assignment, course_roster(root), each_branch=each_branch)
    quiet = Console(stderr=True)
    out = out or Path("results") / assignment
    begin = fresh or not Path(place := gradebook_place(root)).exists()
    local = here(root, assignment, workers, adapter, begin=begin, unisolated=unisolated)
    far = scheduler and elsewhere(root, assignment, scheduler, adapter, unisolated=unisolated)
    profile = Profile() if profiled else None
    timed = profile.run() if profile else nullcontext()
    with (
        far or local as (marker, runs),
        Gradebook(place) as book,
        timed,
        progress_bar(quiet) as bar,
    ):
        marker.profile = profile
        task = bar.add_task(assignment, total=len(found.submissions))
        result = grade_class(
            marker,
            found,
            out,
            runs,
            book,
            fresh=fresh,
            language=lang,
            progress=lambda graded: bar.advance(task),
        )
    print_found(found, quiet)
    print_class(result, lang, as_json=as_json)
    if profile:
        quiet.print(profile.shown())
    leave(result, quiet)
