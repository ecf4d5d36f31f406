"""The warm process that tests share."""

from collections.abc import Iterator

import pytest

from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from tests.attacks.table import LINES


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One zygote for the whole session, started by the first job."""
    warm = Zygote()
    yield warm
    warm.close()


@pytest.fixture(scope="session")
def runner(zygote: Zygote) -> Runner:
    """Runs jobs in the shared zygote."""
    return Runner(zygote)


@pytest.fixture(scope="session")
def bare() -> Iterator[Runner]:
    """Runs jobs on level E: processes like any other, which take signals and make processes."""
    warm = Zygote("E")
    yield Runner(warm)
    warm.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the attack suite found, level by level."""
    if LINES:
        terminalreporter.section("attacks")
        for line in LINES:
            terminalreporter.write_line(line)
