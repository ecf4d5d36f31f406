"""Gradescope: `results.json`, as its page on autograder specifications says.

A mark that is withheld has no such file: Gradescope then says that the autograder failed, which it
did, and gives no zero.
"""

import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from grader.errors import EngineError
from grader.exports.marks import Kept, read_view
from grader.files import write_whole
from grader.reports.phrasing import next_step, status_word, where
from grader.reports.view import StudentCriterion, StudentView
from grader.types import Rubric, Status, Verdict

MOST_CHARACTERS = 20_000
"""Length of one output."""


def results(
    view: StudentView, hides: Collection[str], language: str, *, hidden: str = "after_due_date"
) -> dict[str, Any]:
    """What Gradescope is told of one submission.

    Args:
        view: what its student may know.
        hides: ids of the criteria that look at hidden cases.
        language: "en" or "ko".
        hidden: when students see what rests on hidden cases. While a test is not visible,
            Gradescope keeps the total from them too, so that handing in again and
            again tells nothing about hidden cases.

    Raises:
        EngineError: the mark was withheld.
    """
    if view.status is Status.WITHHELD:
        raise EngineError(
            f"expected a mark, got one that is withheld, for {view.student!r}: nothing is handed "
            "to Gradescope, which gives no zero for it; see the report and grade again"
        )
    tests = [
        test
        for number, criterion in enumerate(view.criteria, start=1)
        for test in _tests(number, criterion, language, hidden if criterion.id in hides else "")
    ]
    notes = [note.text.of(language) for note in view.notes]
    if hidden == "visible" or not hides:
        # What to do next tells whether hidden cases pass.
        notes.insert(0, next_step(view, language))
    seconds = view.provenance.seconds if view.provenance else 0.0
    return {
        # What can't be read earns nothing there: Gradescope knows no mark that is not a number.
        "score": view.earned or 0.0,
        "execution_time": math.ceil(seconds),
        "output": "\n".join([status_word(view.status, language), *notes])[:MOST_CHARACTERS],
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "assignment": view.assignment,
            "status": view.status.value,
            "possible": view.possible,
            "pending": view.pending,
            "key": view.provenance.key if view.provenance else "",
            "isolation": view.provenance.isolation if view.provenance else "",
        },
        "tests": tests,
        "leaderboard": [],
    }


def hiding(rubric: Rubric) -> frozenset[str]:
    """Ids of the criteria that look at hidden cases."""
    return frozenset(
        criterion.id
        for criterion in rubric.criteria
        if not criterion.manual
        and any(case.show == "hidden" for case in rubric.cases_over(criterion))
    )


def results_json(
    kept: Kept, hides: Collection[str], language: str, *, hidden: str
) -> dict[str, Any]:
    """What Gradescope is told of one submission in a folder of results.

    Raises:
        EngineError: as `results`.
        UsageError: the student's view can't be read.
    """
    return results(read_view(kept), hides, language, hidden=hidden)


def _tests(
    number: int, criterion: StudentCriterion, language: str, hidden: str
) -> Iterator[dict[str, Any]]:
    """A criterion's points and, before them, what its public cases show, where those are apart."""
    public = criterion.public_passed, criterion.public_total
    if hidden and criterion.public_total:
        yield {
            **_test(f"{number}.1", criterion, language, "visible"),
            "status": "passed" if public[0] == public[1] else "failed",
            "output": _said(criterion, language, hidden=False),
            "tags": [criterion.id, "public"],
        }
    test = _test(f"{number}.2" if hidden else str(number), criterion, language, hidden or "visible")
    test["output"] = _said(criterion, language, hidden=True)
    if criterion.verdict is None:
        yield test
        return
    test["score"] = criterion.earned
    test["max_score"] = 0.0 if criterion.bonus else criterion.points
    test["status"] = "passed" if criterion.verdict is Verdict.PASS else "failed"
    yield test


def _test(
    number: str, criterion: StudentCriterion, language: str, visibility: str
) -> dict[str, Any]:
    return {
        "name": criterion.title.of(language),
        "name_format": "text",
        "number": number,
        "output": "",
        "output_format": "text",
        "tags": [criterion.id],
        "visibility": visibility,
        "extra_data": {"criterion": criterion.id, "bonus": criterion.bonus},
    }


def _said(criterion: StudentCriterion, language: str, *, hidden: bool) -> str:
    lines = [
        finding.text.of(language)
        + (f" ({where(finding.origin, language)})" if finding.origin else "")
        for finding in criterion.findings
    ]
    if criterion.diagnosis is not None and hidden:
        said = (*criterion.diagnosis.symptoms, *criterion.diagnosis.hints)
        lines += [text.of(language) for text in said]
    if hidden:
        lines += [line.text.of(language) for line in criterion.hidden]
    return "\n".join(lines)[:MOST_CHARACTERS]


def write_results(path: Path, told: dict[str, Any]) -> None:
    """Writes `results.json`, whole or not at all; every number in it is finite.

    Raises:
        EngineError: the disk is full, or the folder can't be written to.
    """
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2)
    write_whole(path, f"{text}\n".encode(), synced=True)
