"""The example class, and right implementations by people who have only read the hand-out."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from grader.collect import collect
from grader.executors import executor
from grader.gradebook import Gradebook
from grader.instructor import Marker, grade_class
from grader.sandbox.runner import Runner
from grader.types import Grade, Status, Verdict

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = yaml.safe_load((ROOT / "examples" / "manifest.yaml").read_text("utf-8"))
ENTRIES = MANIFEST["submissions"] if isinstance(MANIFEST, dict) else MANIFEST
NAMES = tuple(sorted({entry["assignment"] for entry in ENTRIES}))


Graded = Callable[[dict[str, str]], Grade]


@pytest.fixture(scope="module")
def graded(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The grade of an example; the class of an assignment is graded when one of it is asked for."""

    @cache
    def class_of(name: str) -> dict[str, Grade]:
        found = collect([ROOT / "examples" / name], name)
        out = tmp_path_factory.mktemp(name)
        with Gradebook(out / "gradebook.db") as book:
            result = grade_class(Marker(ROOT, name, runner), found, out, executor(2), book)
        return {f"{name}/{grade.student}": grade for grade in result.grades}

    return lambda entry: class_of(entry["assignment"])[key(entry)]


def key(entry: dict[str, str]) -> str:
    return f"{entry['assignment']}/{entry['student']}"


def kind(*kinds: str) -> list[dict[str, str]]:
    return [entry for entry in ENTRIES if entry["kind"] in kinds]


def test_the_manifest_lists_every_example_once() -> None:
    found = {name: collect([ROOT / "examples" / name], name) for name in NAMES}
    assert [each.skipped for each in found.values() if each.skipped] == []
    handed_in = [f"{name}/{s.student}" for name, each in found.items() for s in each.submissions]
    assert sorted(key(entry) for entry in ENTRIES) == sorted(handed_in)


def test_there_are_enough_examples_half_of_them_notebooks() -> None:
    assert len(ENTRIES) >= 36
    notebooks = [entry for entry in ENTRIES if entry["path"].endswith(".ipynb")]
    assert 0.3 < len(notebooks) / len(ENTRIES) < 0.7


@pytest.mark.parametrize("entry", kind("right"), ids=key)
def test_a_right_example_has_full_marks(entry: dict[str, str], graded: Graded) -> None:
    grade = graded(entry)
    failing = [
        c.id for c in grade.criteria if not c.bonus and c.verdict not in (Verdict.PASS, None)
    ]
    assert (grade.status, failing) == (Status.GRADED, [])
    assert grade.earned is not None and grade.earned >= grade.possible


@pytest.mark.parametrize("entry", kind("wrong", "unfinished", "hostile"), ids=key)
def test_a_wrong_example_has_not(entry: dict[str, str], graded: Graded) -> None:
    grade = graded(entry)
    assert grade.status is Status.GRADED
    assert grade.earned is not None and grade.earned < grade.possible
    lost = any(c.verdict in (Verdict.FAIL, Verdict.ERROR) for c in grade.criteria)
    assert lost or "variant" in {each.kind for each in grade.diagnoses}


@pytest.mark.parametrize("entry", kind("not-started"), ids=key)
def test_an_untouched_skeleton_is_not_started(entry: dict[str, str], graded: Graded) -> None:
    assert (graded(entry).status, graded(entry).earned) == (Status.NOT_STARTED, 0)


@pytest.mark.parametrize("entry", kind("unreadable"), ids=key)
def test_what_cannot_be_read_gets_no_mark_rather_than_zero(
    entry: dict[str, str], graded: Graded
) -> None:
    assert (graded(entry).status, graded(entry).earned) == (Status.UNREADABLE, None)


@pytest.mark.parametrize("name", NAMES)
def test_independent_right_implementations_have_full_marks(
    name: str, runner: Runner, tmp_path: Path
) -> None:
    found = collect([ROOT / "tests" / "independent" / name], name)
    assert len(found.submissions) >= 3
    with Gradebook(tmp_path / "gradebook.db") as book:
        result = grade_class(Marker(ROOT, name, runner), found, tmp_path, executor(2), book)
    short = {
        grade.student: [c.id for c in grade.criteria if c.verdict not in (Verdict.PASS, None)]
        for grade in result.grades
        if grade.earned is None or grade.earned < grade.possible
    }
    assert short == {}
