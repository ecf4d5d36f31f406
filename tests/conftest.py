"""The warm process that tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from tests.attacks.table import LINES
from tests.summary import DIAGNOSIS


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the grader keeps between runs, away from the user's own; commands inherit it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def gradebook_of_its_own(
    cache: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test has a gradebook of its own, away from the course's; commands inherit it."""
    monkeypatch.setenv("GRADER_GRADEBOOK", str(cache / f"{id(request.node)}.db"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes minutes is asked for."""
    parser.addoption("--slow", action="store_true", help="run what takes minutes too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what takes minutes, and says how much."""
    if config.getoption("--slow"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


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
    """What the attack suite found, level by level, and how many mistakes were named."""
    for title, lines in (("attacks", LINES), ("diagnosis", DIAGNOSIS)):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)
