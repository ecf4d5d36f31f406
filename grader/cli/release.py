"""`grader release`: what a student gets."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import course_secret, find_course, read_assignment
from grader.author import release as make_release
from grader.author import stale, write
from grader.cli.options import FAILED, CourseOption
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote

command = typer.Typer(add_completion=False)


@command.command()
def release(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    course: CourseOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the folder here.")] = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only say whether the files are fresh.")
    ] = False,
) -> None:
    """Build what a student gets: skeleton, notebook and public cases."""
    root = find_course(Path.cwd(), course)
    zygote = Zygote()
    try:
        read = read_assignment(root, assignment)
        released = make_release(read, course_secret(root), Runner(zygote))
    finally:
        zygote.close()
    folder = to or read.folder
    console = Console()
    if only_check:
        old = stale(released, folder)
        for name in old:
            console.print(f"stale: {folder / name}", soft_wrap=True, markup=False)
        if old:
            console.print(f"make them again with: grader release {assignment}", markup=False)
            raise typer.Exit(FAILED)
        return
    for path in write(released, read, folder):
        console.print(str(path), soft_wrap=True, markup=False, highlight=False)
