"""What the course teaches, row by row: an assignment, criteria and named mistakes for each."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader.assignment import assignment_names, read_assignment
from grader.expected import from_reference
from grader.mistakes import NoMistakes
from grader.mutants import patched, replacements
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import CriterionResult, Edit, Rubric, Submission, SubmittedFile, Verdict

ROOT = Path(__file__).resolve().parent.parent
ROWS = yaml.safe_load((ROOT / "docs" / "course-rows.yaml").read_text("utf-8"))
SYSTEMS, MISUNDERSTANDINGS = ROWS["systems"], ROWS["misunderstandings"]
EVERY = [*SYSTEMS, *MISUNDERSTANDINGS]
PATCHES = ("misconceptions", "variants")
NAMES = sorted({name for row in EVERY for name in row.get("stands", {})})


def by_name(row: dict[str, Any]) -> str:
    return str(row["row"])


@cache
def rubric_of(name: str) -> Rubric:
    return read_assignment(ROOT, name).rubric


def shortfalls(row: dict[str, Any]) -> Iterator[str]:
    """What a row lacks, or names although it is not there."""
    if not row.get("stands"):
        yield "expected an assignment, got none"
    for name, stands in row.get("stands", {}).items():
        if name not in assignment_names(ROOT):
            yield f"expected an assignment, got {name!r}"
            continue
        rubric = rubric_of(name)
        there = {
            "cases": {each.id for each in rubric.cases},
            "criteria": {each.id for each in rubric.criteria},
            "misconceptions": {each.id for each in rubric.misconceptions},
            "variants": {each.id for each in rubric.variants},
            "by_check": set(rubric.by_check),
        }
        for key in stands.keys() - there.keys():
            yield f"expected one of {', '.join(there)}, got {key!r} in {name}"
        for key, known in there.items():
            for each in stands.get(key, []):
                if each not in known:
                    yield f"expected one of the {key} of {name}, got {each!r}"
        if not stands.get("criteria"):
            yield f"expected a criterion of {name}, got none"
        if not any(stands.get(key) for key in PATCHES):
            yield f"expected a misconception or a variant of {name}, got none"


def test_the_list_holds_every_row_of_the_course() -> None:
    assert (len(SYSTEMS), len(MISUNDERSTANDINGS)) == (23, 16)
    names = [by_name(row) for row in EVERY]
    assert len(set(names)) == len(names)
    assert all(row.keys() == {"row", "asks", "stands"} for row in SYSTEMS)
    assert all(row.keys() == {"row", "stands"} for row in MISUNDERSTANDINGS)


@pytest.mark.parametrize("row", EVERY, ids=by_name)
def test_every_row_has_an_assignment_a_criterion_and_a_misconception(row: dict[str, Any]) -> None:
    assert list(shortfalls(row)) == []


STANDS = {"criteria": ["attention"], "misconceptions": ["no-scale"]}
BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "no assignment": ({}, "expected an assignment, got none"),
    "an assignment that is not there": ({"attention": STANDS}, "expected an assignment, got 'att"),
    "no criterion": ({"mha": STANDS | {"criteria": []}}, "expected a criterion of mha, got none"),
    "no misconception": ({"mha": {"criteria": ["attention"]}}, "expected a misconception or"),
    "a criterion that is gone": ({"mha": STANDS | {"criteria": ["x"]}}, "of mha, got 'x'"),
    "a misconception that is gone": ({"mha": STANDS | {"misconceptions": ["x"]}}, "got 'x'"),
    "a key that is misspelt": ({"mha": STANDS | {"variant": ["x"]}}, "got 'variant' in mha"),
}


@pytest.mark.parametrize(("stands", "said"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_row_that_lacks_something_is_found(stands: dict[str, Any], said: str) -> None:
    found = list(shortfalls({"row": "bad", "stands": stands}))
    assert len(found) == 1 and said in found[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_stands_for_a_row_costs_a_criterion_of_that_row(name: str, runner: Runner) -> None:
    assignment = read_assignment(ROOT, name)
    standard = from_reference(assignment, runner.run, "a secret")
    desk = Desk(standard=standard, skeleton=b"", open=runner.open, mistakes=NoMistakes())
    source = assignment.reference.content.decode("utf-8")

    @cache
    def results(edits: tuple[Edit, ...]) -> tuple[CriterionResult, ...]:
        content = patched(source, replacements(source, edits, name), name).encode()
        file = SubmittedFile(name=f"{name}.py", content=content)
        submission = Submission(student="s", assignment=name, path="s.py", files=(file,))
        return grade(submission, desk, provenance("", "E")).criteria

    edits = {each.id: each.edits for kind in PATCHES for each in getattr(assignment.rubric, kind)}
    for_nothing = []
    for row in EVERY:
        stands = row["stands"].get(name, {})
        for each in (each for kind in PATCHES for each in stands.get(kind, [])):
            found = [
                finding
                for result in results(edits[each])
                if result.id in stands["criteria"]
                for finding in result.findings
                if finding.verdict in (Verdict.FAIL, Verdict.ERROR)
            ]
            cases = {finding.case for finding in found}
            if not found or not cases >= set(stands.get("cases", [])):
                for_nothing.append((by_name(row), each))
    assert for_nothing == []
