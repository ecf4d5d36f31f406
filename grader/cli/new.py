"""`grader new`: a starting point."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course
from grader.cli.options import CourseOption
from grader.starting import new_assignment, new_course

command = typer.Typer(add_completion=False)


class Kind(StrEnum):
    """What can be started."""

    COURSE = "course"
    ASSIGNMENT = "assignment"


@command.command()
def new(
    kind: Annotated[Kind, typer.Argument(help="course or assignment.")],
    name: Annotated[str, typer.Argument(help="Folder of the course, or the assignment's name.")],
    course: CourseOption = None,
) -> None:
    """Make a course, or an assignment in one, to start from."""
    if kind is Kind.COURSE:
        written, where, first = new_course(Path(name)), Path(name), "first"
    else:
        where, first = find_course(Path.cwd(), course), name
        written = new_assignment(where, name)
    console = Console()
    for path in written:
        console.print(str(path), soft_wrap=True, markup=False, highlight=False)
    console.print(f"next: grader release {first} --course {where}", soft_wrap=True, markup=False)
