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

SETTING = "grader_assignment"
PUBLIC = "public.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the setting, and the language of what is said."""
    parser.addini(SETTING, "the assignment whose public cases are run")
    parser.addini("grader_language", "en or ko; the system's by default")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The public cases of an assignment, where the setting asks for them."""
    if file_path.name != PUBLIC or not parent.config.getini(SETTING):
        return None
    return PublicCases.from_parent(parent, path=file_path)


class PublicCases(pytest.File):
    """The checks of one assignment; a student's file is run once, when the first is due."""

    checks: Any = None

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check of each criterion."""
        # Imported here since most runs of pytest have nothing to do with it: 0.3 s.
        self.checks = importlib.import_module("grader.checking").Checks(
            self.path.parent, self.config.getini("grader_language")
        )
        for name in self.checks.names():
            yield OneCheck.from_parent(self, name=name)


class OneCheck(pytest.Item):
    """One check of one criterion, over its public cases."""

    parent: PublicCases

    def runtest(self) -> None:
        """Fails with what was found, is skipped where something else has to pass first."""
        found = self.parent.checks.found(self.name)
        if found.blocked:
            pytest.skip(found.text)
        if not found.passed:
            raise NotRightYet(found.text)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """What was found, without a traceback through the grader: it would say nothing."""
        if isinstance(excinfo.value, NotRightYet | self.parent.checks.refusals):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """What stands over a failure."""
        return self.path, None, self.parent.checks.title(self.name, self.config)


class NotRightYet(Exception):
    """A check did not pass."""
