"""What several commands share: their options, exit codes and the progress bar."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grader.errors import EngineError
from grader.spoken import Language, default_language

FAILED, WRONG_USE, WITHHELD, INTERRUPTED = 1, 2, 3, 130


CourseOption = Annotated[
    Path | None, typer.Option("--course", help="The course; the nearest folder above by default.")
]
AdapterOption = Annotated[
    Path | None,
    typer.Option("--adapter", help="How submissions differ: a file, or a name in adapters/."),
]
LanguageOption = Annotated[
    Language, typer.Option("--lang", default_factory=default_language, help="en or ko.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

UnisolatedOption = Annotated[
    bool,
    typer.Option(
        "--allow-unisolated", help="Run hidden cases even where submissions can't be shut in."
    ),
]
WorkersOption = Annotated[
    int, typer.Option("-j", "--workers", min=1, max=64, help="Submissions at a time.")
]
WORKERS = os.cpu_count() or 1

ResultsOption = Annotated[
    Path | None, typer.Option(help="Folder of the results; results/<assignment> by default.")
]


def progress_bar(console: Console) -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def write_file(path: Path, text: str, *, more: bool = False) -> None:
    """Writes a file that an option names, or adds to it.

    Raises:
        EngineError: it can't be written.
    """
    try:
        with path.open("a" if more else "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise EngineError(f"expected to write {path}, got: {error.strerror}") from error
