"""`pytest` in a student's folder: one test for each check of a criterion.

Loaded in every pytest run of an environment that has the grader, so it does nothing but look at one
setting, `grader_assignment`, which the `pytest.ini` of a student's folder holds.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SETTING, LANGUAGE = "grader_assignment", "grader_language"
PUBLIC = "public.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the settings."""
    parser.addini(SETTING, "the assignment whose public cases are run")
    parser.addini(LANGUAGE, "en or ko; the system's language by default")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The public cases of an assignment, where the setting asks for them."""
    if file_path.name != PUBLIC or not parent.config.getini(SETTING):
        return None
    return PublicCases.from_parent(parent, path=file_path)


class PublicCases(pytest.File):
    """The checks of one assignment."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check of each criterion."""
        # By name, since most runs of pytest have nothing to do with it: it costs 0.3 s.
        language = self.config.getini(LANGUAGE)
        language = language or importlib.import_module("grader.spoken").default_language()
        checks = importlib.import_module("grader.checking").Checks(self.path.parent, str(language))
        for name in checks.names():
            yield OneCheck.from_parent(self, name=name, checks=checks)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """A refusal in a sentence."""
        return refusal(excinfo.value) or super().repr_failure(excinfo)


class OneCheck(pytest.Item):
    """One check of one criterion, over its public cases."""

    def __init__(self, *, checks: Any, **attributes: Any):
        super().__init__(**attributes)
        self._checks = checks

    def runtest(self) -> None:
        """Fails with what was found, is skipped where something else has to pass first."""
        found = self._checks.found(self.name)
        if found.verdict == "blocked":
            pytest.skip(found.text)
        if found.verdict != "pass":
            raise NotRightYet(found.text)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """What was found, without a traceback through the grader: that would say nothing."""
        return refusal(excinfo.value) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """What stands over a failure."""
        return self.path, None, self._checks.title(self.name)


class NotRightYet(Exception):
    """A check did not pass."""


def refusal(error: BaseException) -> str:
    """What there is to say of an error of ours; nothing of another, which keeps its traceback."""
    errors = importlib.import_module("grader.errors")
    return str(error) if isinstance(error, NotRightYet | errors.GraderError) else ""
