"""What several commands share: their options, exit codes and the progress bar."""

import locale
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

FAILED, WRONG_USE, WITHHELD, INTERRUPTED = 1, 2, 3, 130


class Language(StrEnum):
    """Languages of the messages and pages."""

    EN = "en"
    KO = "ko"


def default_language() -> Language:
    """Korean where the environment asks for it, else English."""
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return Language.KO if (asked or locale.getlocale()[0] or "").startswith("ko") else Language.EN


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
