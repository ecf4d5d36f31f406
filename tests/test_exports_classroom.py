"""GitHub Classroom is told one entry for each criterion, and the right total."""

import base64
import json
from fractions import Fraction

import sample_grades
from hypothesis import given
from hypothesis import strategies as st

from grader.exports.classroom import classroom_result, classroom_text, shares
from grader.reports.legible import rounded_points
from grader.types import Verdict

POINTS = st.builds(Fraction, st.integers(0, 2000), st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 100]))


def test_every_grade_has_tests_and_its_scores_add_up_to_what_was_earned() -> None:
    for grade in sample_grades.the_class():
        told = classroom_result(grade, "en")
        judged = [each for each in grade.criteria if each.verdict is not None]
        assert told["tests"]
        if grade.earned is not None and judged:
            assert [each["name"] for each in told["tests"]] == [each.title.en for each in judged]
            earned = sum((each.earned for each in judged), Fraction(0))
            total = sum(Fraction(str(each["score"])) for each in told["tests"])
            assert total == rounded_points(earned)
            assert told["max_score"] == float(rounded_points(grade.possible))


def test_only_full_points_pass() -> None:
    assert classroom_result(sample_grades.passing(), "en")["status"] == "pass"
    told = classroom_result(sample_grades.failing(), "en")
    assert told["status"] == "fail"
    lost = [each for each in told["tests"] if each["status"] != "pass"]
    assert lost and all(each["message"] for each in lost)


def test_a_withheld_grade_reports_no_mark_and_an_unreadable_one_none_earned() -> None:
    withheld = classroom_result(sample_grades.withheld(), "en")
    assert withheld["status"] == "error" and withheld["max_score"] == 0
    assert [each["score"] for each in withheld["tests"]] == [0]
    unreadable = classroom_result(sample_grades.unreadable(), "ko")
    assert unreadable["status"] == "error" and unreadable["tests"][0]["message"]


def test_a_skeleton_earns_nothing_of_everything() -> None:
    told = classroom_result(sample_grades.not_started(), "en")
    assert told["status"] == "fail" and sum(each["score"] for each in told["tests"]) == 0


def test_the_line_is_base64_of_json_in_either_language() -> None:
    for language in ("en", "ko"):
        line = classroom_text(sample_grades.failing(), language)
        assert "\n" not in line
        told = json.loads(base64.b64decode(line, validate=True).decode("utf-8"))
        assert told == classroom_result(sample_grades.failing(), language)


def test_nothing_that_a_hidden_case_showed_is_told() -> None:
    facts = {"name": "output", "worst": 0.123456, "at": "SECRET", "allowed": 1e-9}
    seen = sample_grades.finding("close.mismatch", facts, hidden=True, case="SECRET-CASE")
    criterion = sample_grades.criterion("output", Verdict.FAIL, sample_grades.good(), seen)
    said = json.dumps(classroom_result(sample_grades.grade("ada", (criterion,)), "en"))
    assert "SECRET" not in said and "0.1234" not in said


@given(st.lists(POINTS, max_size=12))
def test_rounded_scores_add_up_to_the_rounded_sum(points: list[Fraction]) -> None:
    told = shares(points)
    assert sum(told, Fraction(0)) == rounded_points(sum(points, Fraction(0)))
    assert all(abs(a - b) < Fraction(1, 100) for a, b in zip(told, points, strict=True))
    assert all((each * 100).denominator == 1 for each in told)
