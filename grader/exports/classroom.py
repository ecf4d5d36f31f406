"""A grade -> what GitHub Classroom's reporter reads: JSON in base64, one entry for each criterion.

The reporter (github.com/classroom-resources/autograding-grading-reporter) adds up the scores of
`tests`, of which there must be one at least, and says nothing to Classroom where `max_score` is 0.
"""

import base64
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from grader.reports.legible import rounded_points, visible
from grader.reports.messages import say
from grader.reports.phrasing import next_step
from grader.reports.view import StudentCriterion, StudentView, student_view
from grader.types import Grade, Status, Verdict

VERSION = 1
STATUSES = {Verdict.PASS: "pass", Verdict.ERROR: "error", Verdict.BROKEN: "error"}
"""Status of an entry by what was found; everything else has failed."""
MOST_CHARACTERS = 4000
"""Of what is said in one entry; the whole travels in an environment variable."""


def classroom_result(grade: Grade, language: str) -> dict[str, Any]:
    """What Classroom is told of a grade: only what its student may know.

    A grade that is withheld has a maximum of 0, so that Classroom gets no mark rather than none.

    Args:
        grade: the grade; manual criteria are left out.
        language: "en" or "ko", of the messages.
    """
    view, reported = student_view(grade), grade.status is not Status.WITHHELD
    own = {each.id: each for each in view.criteria}
    titles = {each.id: each.title.of(language) for each in view.criteria}
    judged = [each for each in grade.criteria if each.verdict is not None]
    scores = shares([each.earned for each in judged])
    tests = [
        _entry(own[result.id], titles, score, view.file, language)
        for result, score in zip(judged, scores, strict=True)
    ]
    if grade.earned is None or not tests:
        tests = [_whole(view, language)]
    return {
        "version": VERSION,
        "status": _status(grade),
        "max_score": _number(rounded_points(grade.possible)) if reported else 0,
        "tests": tests,
    }


def _status(grade: Grade) -> str:
    if grade.earned is None:
        return "error"
    asked_for = sum(each.earned for each in grade.criteria if not each.bonus)
    return "pass" if asked_for == grade.possible else "fail"


def classroom_text(grade: Grade, language: str) -> str:
    """The result as the output `result` of a step holds it: one line of base64."""
    told = json.dumps(classroom_result(grade, language), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(told.encode("utf-8")).decode("ascii")


def shares(points: list[Fraction]) -> list[Fraction]:
    """Points rounded to two decimals so that their sum is the rounded sum.

    The reporter adds up what it is given: three thirds of a point have to make one.
    """
    whole = [Fraction(each * 100 // 1, 100) for each in points]
    missing = int((rounded_points(sum(points, Fraction(0))) - sum(whole, Fraction(0))) * 100)
    by_rest = sorted(range(len(points)), key=lambda i: whole[i] - points[i])
    for index in by_rest[:missing]:
        whole[index] += Fraction(1, 100)
    return whole


def _entry(
    criterion: StudentCriterion,
    titles: Mapping[str, str],
    score: Fraction,
    file: str,
    language: str,
) -> dict[str, Any]:
    origin = next((each.origin for each in criterion.findings if each.origin is not None), None)
    said = [each.text.of(language) for each in criterion.findings]
    said += [each.text.of(language) for each in criterion.hidden]
    if criterion.blocked_by:
        said.append(
            say(
                "ui.blocked_by",
                {"title": titles.get(criterion.blocked_by, criterion.blocked_by)},
                language,
            )
        )
    if criterion.diagnosis is not None:
        told = (*criterion.diagnosis.symptoms, *criterion.diagnosis.hints)
        said += [each.of(language) for each in told]
    return {
        "name": visible(criterion.title.of(language)),
        "status": STATUSES.get(criterion.verdict or Verdict.FAIL, "fail"),
        "score": _number(score),
        "message": visible("\n".join(said), lines=True, limit=MOST_CHARACTERS),
        "test_code": "",
        "filename": file,
        "line_no": origin.line if origin is not None else 0,
        "duration": 0,
    }


def _whole(view: StudentView, language: str) -> dict[str, Any]:
    """The one entry of a submission of which no criterion was looked at."""
    said = [next_step(view, language), *(each.text.of(language) for each in view.notes)]
    return {
        "name": visible(view.title.of(language)),
        "status": "fail" if view.status is Status.NOT_STARTED else "error",
        "score": 0,
        "message": visible("\n".join(said), lines=True, limit=MOST_CHARACTERS),
        "test_code": "",
        "filename": view.file,
        "line_no": 0,
        "duration": 0,
    }


def _number(points: Fraction) -> int | float:
    return int(points) if points.denominator == 1 else float(points)
