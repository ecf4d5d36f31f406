"""`grader check`: a student's own work against the public cases."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.cli.options import (
    FAILED,
    WITHHELD,
    CourseOption,
    JsonOption,
    LanguageOption,
    write_file,
)
from grader.errors import GraderError, UsageError
from grader.exports.classroom import classroom_text
from grader.reports.asked import first_calls
from grader.reports.messages import say
from grader.reports.student import report_json, report_markdown
from grader.reports.terminal import check_report
from grader.reports.view import student_view
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.spoken import refusal_text
from grader.student import Checked, Public, check_work, public_part, stamp, work_in
from grader.types import Status, Submission

LOOK_SECONDS = 0.2
"""How often `--watch` looks whether a file was saved."""

command = typer.Typer(add_completion=False)


@command.command()
def check(
    lang: LanguageOption,
    file: Annotated[Path | None, typer.Argument(help="Your notebook or module.")] = None,
    assignment: Annotated[str | None, typer.Option(help="Name of the assignment.")] = None,
    course: CourseOption = None,
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file is saved.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a page that you can hand in.")
    ] = None,
    classroom: Annotated[
        Path | None, typer.Option(help="Write the result here as GitHub Classroom reads it.")
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(envvar="GITHUB_STEP_SUMMARY", help="Add the report as Markdown to this file."),
    ] = None,
) -> None:
    """Check your own work against the public cases."""
    zygote = warm_process()
    try:
        zygote.begin()  # while the public cases are read
        public = public_part(file, assignment, Path.cwd(), course)
        zygote.training = public.trains
        runner = Runner(zygote)

        def once() -> Checked:
            return check_work(work_in(file, Path.cwd(), public), public, runner)

        if watch:
            _watch(once, file or Path.cwd(), lang)
            return
        submission = work_in(file, Path.cwd(), public)
        checked = check_work(submission, public, runner)
    finally:
        zygote.close()
    if report is not None:
        _write_report(checked, submission, public, report, lang)
    if as_json:
        sys.stdout.write(report_json(student_view(checked.grade)))
    else:
        _print(checked, lang)
    if classroom is not None:
        write_file(classroom, classroom_text(checked.grade, lang))
    if summary is not None:
        write_file(summary, report_markdown(student_view(checked.grade), lang), more=True)
    if checked.grade.status is Status.WITHHELD:
        raise typer.Exit(WITHHELD)
    if not checked.passed:
        raise typer.Exit(FAILED)


def _print(checked: Checked, lang: str) -> None:
    view = student_view(checked.grade)
    Console().print(check_report(view, lang, first_calls(checked.asked)))


def _write_report(
    checked: Checked, submission: Submission, public: Public, path: Path, lang: str
) -> None:
    """Writes the page that can be handed in.

    Raises:
        UsageError: it can't be written.
    """
    from grader.handing_in import report_page  # noqa: PLC0415 - nbconvert costs 0.9 s

    page = report_page(checked, submission, public, lang)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"expected a file to write to, got {error.strerror} @ {path}",
            code="student.not_writable",
            facts={"folder": str(path), "reason": error.strerror or ""},
        ) from error


def _watch(once: Callable[[], Checked], path: Path, lang: str) -> None:
    """Checks at once, and again after every save, until Ctrl-C.

    Lines only follow one another, so that a screen reader reads each once.
    """
    seen = None
    try:
        while True:
            if (now := stamp(path)) == seen:
                time.sleep(LOOK_SECONDS)
                continue
            seen, started = now, time.monotonic()
            try:
                _print(once(), lang)
            except GraderError as error:
                Console().print(refusal_text(error, lang), style="red", markup=False)
            facts = {
                "time": time.strftime("%H:%M:%S"),
                "seconds": round(time.monotonic() - started, 2),
            }
            Console().print(say("ui.watch.ran", facts, lang), style="dim", markup=False)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return
