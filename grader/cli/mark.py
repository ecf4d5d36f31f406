"""`grader mark`: what people decide, and what still waits for them."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course, read_assignment
from grader.ci.telling import mark_text
from grader.cli.options import CourseOption, write_file
from grader.course import gradebook_place, read_settings
from grader.errors import UsageError
from grader.gradebook import Gradebook, MarkRow
from grader.marking import TOTAL, decide, decided, from_sheet, sheet, waiting
from grader.reports.legible import points_text, visible
from grader.standing import Pages, orphans, read_pages, standing_of
from grader.types import Rubric

command = typer.Typer(add_completion=False)


@command.command()
def mark(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    student: Annotated[str | None, typer.Argument(help="Name of the student.")] = None,
    criterion: Annotated[str | None, typer.Argument(help="A criterion, or total.")] = None,
    points: Annotated[str | None, typer.Argument(help="Points; none takes it back.")] = None,
    why: Annotated[str, typer.Option(help="Why, as the student reads it.")] = "",
    who: Annotated[str, typer.Option(help="Who decides; you by default.")] = "",
    source: Annotated[
        Path | None, typer.Option("--from", help="Take the points from a sheet (CSV).")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write what waits to a sheet (CSV), with the code."),
    ] = None,
    course: CourseOption = None,
) -> None:
    """Mark by hand, override a mark, or list what still waits."""
    root = find_course(Path.cwd(), course)
    rubric = read_assignment(root, assignment).rubric
    policy = read_settings(root).policy(assignment)
    console = Console(highlight=False)
    with Gradebook(gradebook_place(root)) as book:
        pages = read_pages(book, assignment)
        author = who or os.environ.get("GRADER_WHO") or getpass.getuser()
        marks, open_rows = _asked(pages, rubric, (student, criterion, points), source, author, why)
        if to is not None:
            write_file(to, sheet(pages, rubric, book))
            console.print(str(to), soft_wrap=True, markup=False)
            return
        if marks:
            pages, written = decide(book, assignment, marks, pages)
            console.print(f"{written} written, {len(marks) - written} known, {open_rows} left open")
            for name in dict.fromkeys(each.student for each in marks):
                told = mark_text(standing_of(pages, name, policy))
                console.print(f"{visible(name)}: {told}", markup=False, soft_wrap=True)
        _list_waiting(console, pages, rubric, everything=not marks)


def _asked(
    pages: Pages,
    rubric: Rubric,
    told: tuple[str | None, str | None, str | None],
    source: Path | None,
    who: str,
    why: str,
) -> tuple[tuple[MarkRow, ...], int]:
    if source is not None:
        return from_sheet(source, pages, rubric, who)
    student, criterion, points = told
    if student is None:
        return (), 0
    if criterion is None or points is None:
        raise UsageError(
            f"expected STUDENT CRITERION POINTS, got {student!r} alone; the whole mark is "
            f"overridden with: grader mark {rubric.assignment} {student} {TOTAL} POINTS"
        )
    return (decided(pages, rubric, student, criterion, points, who, why),), 0


def _list_waiting(console: Console, pages: Pages, rubric: Rubric, *, everything: bool) -> None:
    rows = waiting(pages, rubric)
    for each in rows if everything else ():
        told = f"{points_text(each.criterion.points)} points"
        line = f"to mark: {visible(each.student)} {each.criterion.id} ({told})"
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"{len(rows)} still to mark")
    for mark_ in orphans(pages):
        console.print(
            f"counts nowhere: {visible(mark_.student)} {visible(mark_.criterion)}, by "
            f"{visible(mark_.who)}: no such criterion is graded now",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
