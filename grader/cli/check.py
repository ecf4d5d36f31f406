"""`grader check`: a student's own work against the public cases."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.cli.options import FAILED, WITHHELD, CourseOption, JsonOption, LanguageOption
from grader.reports.student import report_json
from grader.reports.terminal import check_report
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.student import check as check_work
from grader.types import Status

command = typer.Typer(add_completion=False)


@command.command()
def check(
    lang: LanguageOption,
    file: Annotated[Path | None, typer.Argument(help="Your notebook or module.")] = None,
    assignment: Annotated[str | None, typer.Option(help="Name of the assignment.")] = None,
    course: CourseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check your own work against the public cases."""
    zygote = Zygote()
    try:
        checked = check_work(file, assignment, Path.cwd(), Runner(zygote), course)
    finally:
        zygote.close()
    view = student_view(checked.grade)
    if as_json:
        sys.stdout.write(report_json(view))
    else:
        Console().print(check_report(view, lang))
    if checked.grade.status is Status.WITHHELD:
        raise typer.Exit(WITHHELD)
    if not checked.passed:
        raise typer.Exit(FAILED)
