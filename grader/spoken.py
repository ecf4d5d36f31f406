"""The language that a person reads, as their system says it."""

import ctypes
import importlib
import locale
import os
import subprocess
import sys
from enum import StrEnum
from typing import Any

from grader.errors import GraderError
from grader.reports.legible import visible

ASK_SECONDS = 1.0
MOST_SAID = 20_000
"""Characters of a refusal, in which names may be a student's."""


class Language(StrEnum):
    """Languages of the messages and pages."""

    EN = "en"
    KO = "ko"


def default_language() -> Language:
    """Korean where the environment asks for it or, where that is silent, the system; else English.

    The system is not asked where `$LANG` says anything, "C" included.
    """
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    spoken = asked or _of_the_system() or locale.getlocale()[0] or ""
    return Language.KO if spoken.lower().startswith("ko") else Language.EN


def asked_language(arguments: list[str]) -> Language:
    """As `--lang` says it among a command's arguments, before these are read; else the default."""
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--lang":
            value = value or "".join(arguments[index + 1 : index + 2])
            return Language.KO if value == Language.KO else Language.EN
    return default_language()


def refusal_text(error: GraderError, language: str) -> str:
    """A refusal in the reader's language, where the catalogue has it; else as it is."""
    text = str(error)
    if language != "en" and error.code:
        # Read where a person does not read English: the catalogue costs 20 ms.
        text = importlib.import_module("grader.reports.messages").say(
            error.code, error.facts, language
        )
    return visible(text, lines=True, limit=MOST_SAID)


def _of_the_system() -> str:
    """Name of the display language, where the system keeps one of its own: "ko_KR"."""
    if sys.platform == "win32":
        return _of_windows(ctypes.windll)  # type: ignore[attr-defined, unused-ignore]
    if sys.platform == "darwin":
        return _of_macos()
    return ""


def _of_windows(libraries: Any) -> str:
    return locale.windows_locale.get(libraries.kernel32.GetUserDefaultUILanguage(), "")


def _of_macos() -> str:
    try:
        told = subprocess.run(
            ["defaults", "read", "-g", "AppleLocale"],
            capture_output=True,
            text=True,
            timeout=ASK_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
