"""Submissions in every layout of `tests/adapters`: the right ones earn everything, the planted
mistakes are caught and named.
"""

from functools import cache
from pathlib import Path

import pytest
import yaml

from grader.collect import collect
from grader.instructor import Marker
from grader.mistakes import NoMistakes
from grader.sandbox.runner import Runner
from grader.types import Grade, Submission, SubmittedFile

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "adapters"
PLANTED = yaml.safe_load((HERE / "planted.yaml").read_text())
RIGHT = sorted(
    path.relative_to(HERE).as_posix()
    for path in HERE.glob("*/*")
    if path.suffix in (".py", ".ipynb")
)


@cache
def marker(name: str, runner: Runner) -> Marker:
    """What grades a submission of `tests/adapters` with the adapter that lies beside it."""
    path = (HERE / name).with_suffix(".yaml")
    return Marker(ROOT, path.parent.name, runner, path)


def handed_in(name: str, content: bytes | None = None) -> Submission:
    path = HERE / name
    (submission,) = collect([path], path.parent.name).submissions
    if content is None:
        return submission
    file = SubmittedFile(name=path.name, content=content)
    return Submission(student="s", assignment=path.parent.name, path=str(path), files=(file,))


def wrong(grade: Grade) -> list[str]:
    return [
        f"{criterion.id}: {finding.case} {finding.code} {finding.facts}"
        for criterion in grade.criteria
        for finding in criterion.findings
        if finding.verdict.value != "pass"
    ]


def named(grade: Grade) -> set[str]:
    return {name for each in grade.diagnoses for ids in each.alternatives for name in ids}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_submission_in_its_own_layout_earns_everything(
    name: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())  # what nobody asks takes seconds
    grade = marker(name, runner).mark(handed_in(name))
    assert grade.possible > 0
    assert grade.earned == grade.possible, wrong(grade)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_mistake_is_caught_and_named(name: str, runner: Runner) -> None:
    planted = PLANTED[name]
    text = (HERE / name).read_text()
    assert text.count(planted["find"]) == 1
    changed = text.replace(planted["find"], planted["put"]).encode()
    grade = marker(name, runner).mark(handed_in(name, changed))
    assert grade.earned is not None and grade.earned < grade.possible
    assert planted["named"] in named(grade), (named(grade), wrong(grade))


def test_every_submission_has_a_planted_mistake() -> None:
    assert sorted(PLANTED) == RIGHT
    assert len(PLANTED) + len(RIGHT) >= 60
