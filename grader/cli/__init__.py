"""The front door: one module a command, imported when its command is called."""

import importlib
import io
import keyword
import sys
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from grader.cli.options import FAILED, INTERRUPTED, WITHHELD, WRONG_USE
from grader.errors import EngineError, GraderError, UsageError
from grader.spoken import asked_language, refusal_text

__all__ = ["COMMANDS", "FAILED", "INTERRUPTED", "WITHHELD", "WRONG_USE", "app", "main"]

COMMANDS = {
    "check": "Check your own work against the public cases.",
    "replay": "Print a script that shows a public case without the grader.",
    "grade": "Grade submissions, and write marks, reports and a class page.",
    "regrade": "Grade what is stale, and say whose mark moved, from what to what, and why.",
    "mark": "Mark by hand, override a mark, or list what still waits.",
    "explain": "Say how a mark came about.",
    "pull": "Fetch every student's repository.",
    "export": "Write final marks for Canvas, Moodle, Gradescope, CSV or JUnit.",
    "return": "Send each student's report back.",
    "adapt": "Propose an adapter for a course that already exists, from one of its files.",
    "release": "Build what a student gets: skeleton, notebook and public cases.",
    "audit": "See whether every known mistake is caught, told apart and named.",
    "new": "Make a course, or an assignment in one, to start from.",
    "doctor": "Say what isolation, versions and limits are in force here.",
}
"""Each command and what it is for; `grader.cli.<command>` holds it."""


class Commands(TyperGroup):
    """The commands by name; `--help` lists them without what it takes to run them."""

    def __init__(self, **attributes: Any):
        super().__init__(**attributes)
        for name, purpose in COMMANDS.items():
            self.add_command(TyperCommand(name, help=purpose))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and arguments of what was called: the command whole, not as it is listed.

        Typer names the types here differently from one version to the next.
        """
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and loaded(listed.name or ""), rest


def loaded(name: str) -> Any:
    """A command, imported; a word that is Python's own has "_" behind it there."""
    try:
        module = importlib.import_module(f"grader.cli.{name}{'_' * keyword.iskeyword(name)}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("grader"):
            raise
        raise UsageError(
            f"expected the package {error.name!r} for grader {name}, found none; install what "
            "instructors need: pip install 'sequence-grader[instructor]'"
        ) from error
    return typer.main.get_command(module.command)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def grader() -> None:
    """An automatic grader for sequence-model assignments in PyTorch."""


def main() -> None:
    """Runs the command; every refusal is one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console in cp949 lacks many characters
    try:
        app()
    except GraderError as error:
        said = refusal_text(error, asked_language(sys.argv[1:]))
        Console(stderr=True).print(said, style="red", markup=False, highlight=False)
        raise SystemExit(WITHHELD if isinstance(error, EngineError) else WRONG_USE) from error
