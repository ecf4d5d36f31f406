"""`grader replay`: a public case as a script of its own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.options import CourseOption, LanguageOption
from grader.replay import replay_script
from grader.student import public_part

command = typer.Typer(add_completion=False)


@command.command()
def replay(
    lang: LanguageOption,
    case: Annotated[str, typer.Argument(help="Name of the case, as `grader check` says it.")],
    assignment: Annotated[str | None, typer.Option(help="Name of the assignment.")] = None,
    module: Annotated[
        str | None, typer.Option(help="Your module; that of the assignment by default.")
    ] = None,
    cell: Annotated[
        bool, typer.Option("--cell", help="Leave the import out, to paste it into a notebook.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Print a script that shows a public case without the grader."""
    public = public_part(None, assignment, Path.cwd(), course)
    sys.stdout.write(replay_script(public.bundle, case, "" if cell else module or public.name))
