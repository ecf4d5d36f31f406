"""`grader regrade`: what is stale is graded, and whose mark moved is said."""

import os
import platform
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import assignment_names, find_course
from grader.ci import Regraded
from grader.ci import regrade as grade_again
from grader.ci.changes import changed_files, touched
from grader.ci.telling import annotations, as_json, counts_text, suites, summary, table
from grader.cli.options import (
    FAILED,
    WITHHELD,
    WORKERS,
    CourseOption,
    JsonOption,
    UnisolatedOption,
    WorkersOption,
    write_file,
)
from grader.collect import collect
from grader.course import course_roster, gradebook_place, require
from grader.errors import UsageError
from grader.executors import executor
from grader.exports.junit import junit_xml
from grader.gradebook import Gradebook
from grader.instructor import Marker
from grader.reports.legible import visible
from grader.roster import Roster
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.types import Status, Submission

command = typer.Typer(add_completion=False)


@command.command()
def regrade(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; all if none.")] = None,
    course: CourseOption = None,
    submissions: Annotated[
        Path | None, typer.Option(help="Folder of submissions, one folder an assignment in it.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what changed since this Git revision.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, and write nothing.")] = False,
    fail_under: Annotated[
        float | None, typer.Option(min=0, help="Exit 1 if a mark is under this percentage.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    summary_file: Annotated[
        Path | None,
        typer.Option("--summary", envvar="GITHUB_STEP_SUMMARY", help="Add Markdown to this file."),
    ] = None,
    workers: WorkersOption = WORKERS,
    unisolated: UnisolatedOption = False,
    as_json_: JsonOption = False,
) -> None:
    """Grade what is stale, and say whose mark moved, from what to what, and why."""
    root = find_course(Path.cwd(), course)
    roster = course_roster(root)
    folder = submissions or root / "submissions"
    files = None if since is None else changed_files(root, since)
    zygote = warm_process()
    try:
        with Gradebook(gradebook_place(root)) as book:
            found = []
            for name in assignments or _names(root, folder, book):
                handed = _handed_in(folder / name, name, roster)
                only = None if files is None else touched(root, files, name, handed)
                marker = Marker(root, name, Runner(zygote, workers))
                require(zygote.isolation(), root, hides=marker.hides, unisolated=unisolated)
                zygote.training = marker.trains
                crew = executor(workers)
                found.append(grade_again(marker, handed, book, crew, only=only, dry_run=dry_run))
    finally:
        zygote.close()
    _say(found, dry_run=dry_run, machine=as_json_)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(found):
            sys.stderr.write(line + "\n")
    if summary_file is not None:
        write_file(summary_file, summary(found, dry_run=dry_run), more=True)
    if junit is not None:
        write_file(junit, junit_xml(suites(found), host=platform.node()))
    _leave(found, fail_under)


def _names(root: Path, folder: Path, book: Gradebook) -> list[str]:
    """Assignments of which something was handed in."""
    known = book.assignments()
    return [name for name in assignment_names(root) if name in known or (folder / name).is_dir()]


def _handed_in(folder: Path, name: str, roster: Roster) -> tuple[Submission, ...]:
    if not folder.is_dir() or not any(folder.iterdir()):
        return ()
    found = collect([folder], name, roster)
    for skipped in found.skipped:
        sys.stderr.write(f"skipped {visible(skipped)}\n")
    return found.submissions


def _say(found: Sequence[Regraded], *, dry_run: bool, machine: bool) -> None:
    if machine:
        sys.stdout.write(as_json(found, dry_run=dry_run))
        return
    console = Console(highlight=False, markup=False)
    for each in found:
        console.print(counts_text(each, dry_run=dry_run), soft_wrap=True)
        if each.moves:
            console.print(table(each))
        for mark in each.orphans:
            told = f"{visible(mark.student)} {visible(mark.criterion)}, by {visible(mark.who)}"
            console.print(f"counts nowhere: {told}: no such criterion is graded now")
    if not found:
        console.print("nothing has been handed in")


def _leave(found: Sequence[Regraded], fail_under: float | None) -> None:
    """Exit codes: 3 where a mark is withheld, 1 where one is under the bar."""
    standings = [standing for each in found for standing in each.standings]
    if any(each.status is Status.WITHHELD for each in standings):
        raise typer.Exit(WITHHELD)
    if fail_under is None:
        return
    if fail_under > 100:
        raise UsageError(f"expected a percentage from 0 to 100, got {fail_under}")
    bar = Fraction(str(fail_under)) / 100
    if any(each.earned is None or each.earned < bar * each.possible for each in standings):
        raise typer.Exit(FAILED)
