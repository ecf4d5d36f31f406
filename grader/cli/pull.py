"""`grader pull`: every student's repository."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course
from grader.cli.options import FAILED, CourseOption, JsonOption, progress_bar
from grader.course import FILE, course_roster, read_settings
from grader.errors import UsageError
from grader.fetching import AT_ONCE, Fetched, fetch, remotes
from grader.reports.legible import visible
from grader.roster import Person

command = typer.Typer(add_completion=False)


def moment(text: str) -> datetime:
    """A date and time as it is typed; without a zone it is this machine's.

    Raises:
        UsageError: it is none.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise UsageError(
            f"expected a date and time such as 2026-03-01T23:59, got {text!r} @ --at"
        ) from error


def deadlines(
    root: Path, assignment: str, people: Sequence[Person], at: str
) -> dict[str, datetime]:
    """By when each student's work had to be there: one time for all, or when it was due for them.

    Raises:
        UsageError: the course names no due date, or the time is none.
    """
    if at != "due":
        by = moment(at)
        return {person.student: by for person in people}
    policy = read_settings(root).policy(assignment)
    due = {person.student: policy.due_for(person.student) for person in people}
    if policy.due is None:
        raise UsageError(
            f"expected a due date, for --at due, got none @ {root / FILE} "
            f"$.assignments.{assignment}.due; name a time, such as --at 2026-03-01T23:59"
        )
    return {student: by for student, by in due.items() if by is not None}


@command.command()
def pull(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    course: CourseOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the submissions.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="Take what had arrived by then: due, or 2026-03-01T23:59."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=1, max=64, help="Repositories at a time.")
    ] = AT_ONCE,
    as_json: JsonOption = False,
) -> None:
    """Fetch every student's repository."""
    root = find_course(Path.cwd(), course)
    where = read_settings(root).repositories
    if where is None:
        raise UsageError(
            f"expected repositories, got none @ {root / FILE} $.repositories; say there where "
            "they are, such as: repositories: {url: 'https://github.com/org/{assignment}-{github}'}"
        )
    people = course_roster(root).people
    if not people:
        raise UsageError(f"expected a roster with students, got none @ {root / FILE} $.roster")
    everyone = tuple(remotes(people, where, assignment, root))
    by = None if at is None else deadlines(root, assignment, people, at)
    out = out or Path("submissions") / assignment
    quiet = Console(stderr=True)
    with progress_bar(quiet) as progress:
        bar = progress.add_task(assignment, total=len(everyone))
        found = fetch(
            everyone,
            out,
            until=by,
            jobs=jobs,
            progress=lambda fetched: progress.advance(bar),
        )
    reached = {remote.person.student for remote in everyone}
    failed = [f"{each.student}: {each.reason}" for each in found if each.state == "failed"]
    failed += [
        f"{person.student}: the roster does not say where the repository is"
        for person in people
        if person.student not in reached
    ]
    if as_json:
        sys.stdout.write(json.dumps(_told(found, failed), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(found, failed, out)
    if failed:
        raise typer.Exit(FAILED)


def _told(found: tuple[Fetched, ...], failed: list[str]) -> dict[str, object]:
    return {
        "fetched": [
            {
                "student": each.student,
                "state": each.state,
                "commit": each.commit,
                "arrived": each.arrived.isoformat() if each.arrived else None,
                "notes": list(each.notes),
            }
            for each in found
            if each.state != "failed"
        ],
        "failed": failed,
    }


def _print(found: tuple[Fetched, ...], failed: list[str], out: Path) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for each in found:
        if each.arrived is not None:
            arrived = each.arrived.astimezone().isoformat(timespec="minutes")
            console.print(f"{visible(each.student)}  {each.commit[:12]}  {arrived}  {each.state}")
        for note in each.notes:
            console.print(f"  {visible(note)}", style="yellow")
    for line in failed:
        console.print(f"failed: {visible(line)}", style="red")
    console.print(str(out))
