"""`grader return`: each student's report goes back to them."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course
from grader.cli.options import FAILED, CourseOption, JsonOption, LanguageOption, ResultsOption
from grader.course import FILE, course_roster, read_settings
from grader.errors import UsageError
from grader.fetching import remotes
from grader.reports.legible import visible
from grader.returning import (
    Returned,
    download_names,
    read_reports,
    to_branches,
    to_folder,
    to_zip,
)

command = typer.Typer(add_completion=False)


class Way(StrEnum):
    """Ways back to students."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GITHUB = "github"
    FOLDER = "folder"


@command.command("return")
def return_(
    lang: LanguageOption,
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    way: Annotated[Way, typer.Argument(metavar="WAY", help="canvas, moodle, github or folder.")],
    course: CourseOption = None,
    results: ResultsOption = None,
    download: Annotated[
        Path | None,
        typer.Option(help="Canvas, Moodle: the zip of hand-ins you got there; Moodle: worksheet."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The zip, or the folder, to write.")] = None,
    branch: Annotated[
        str | None, typer.Option(help="github: the branch; grader/<assignment> by default.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Send what was sent before, too.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send each student's report back."""
    root = find_course(Path.cwd(), course)
    results = results or Path("results") / assignment
    reports, withheld = read_reports(results, lang)
    roster = course_roster(root)
    if way is Way.FOLDER:
        out = out or results / "returned"
        done = to_folder(results, reports, out, dry_run=dry_run, again=again)
    elif way is Way.GITHUB:
        where = read_settings(root).repositories
        if where is None:
            raise UsageError(f"expected repositories, got none @ {root / FILE} $.repositories")
        everyone = tuple(remotes(roster.people, where, assignment, root))
        name = branch or f"grader/{assignment}"
        done = to_branches(results, reports, everyone, name, dry_run=dry_run, again=again)
        out = Path(name)
    else:
        if download is None:
            raise UsageError(
                f"expected the hand-ins that {way.capitalize()} packed, with --download, got none: "
                "their names hold the numbers that reports are found by"
            )
        out = out or results / f"{way}-feedback.zip"
        names = download_names(download, way)
        done = to_zip(results, reports, names, roster, out, way, dry_run=dry_run, again=again)
    left = (*done.left, *withheld)
    _say(done, left, out, dry_run=dry_run, as_json=as_json)
    if done.left:
        raise typer.Exit(FAILED)


def _say(done: Returned, left: tuple[str, ...], out: Path, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {
            "sent": list(done.sent),
            "unchanged": list(done.unchanged),
            "left": list(left),
            "dry_run": dry_run,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    word = "would be sent" if dry_run else "sent"
    console.print(f"{len(done.sent)} {word}, {len(done.unchanged)} unchanged")
    for student in done.sent if dry_run else ():
        console.print(f"  {visible(student)}")
    for line in left:
        console.print(f"left: {visible(line)}", style="yellow")
    if done.sent and not dry_run:
        console.print(str(out))
