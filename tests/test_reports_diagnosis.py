"""A diagnosis as a student meets it: page, Markdown and terminal, in two languages."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from html_pages import read_page
from rich.console import Console
from sample_grades import criterion, finding, grade

from grader.reports.classroom import grades_csv
from grader.reports.phrasing import diagnosis_heading
from grader.reports.student import report_html, report_json, report_markdown
from grader.reports.terminal import check_report
from grader.reports.view import StudentView, student_view
from grader.types import CriterionResult, Diagnosis, Finding, Grade, Text, Verdict

CLOSE = finding(
    "close.mismatch",
    {"output": "y", "wrong": 3, "total": 6, "worst": 0.5, "at": [0, 1], "expected": 1.0,
     "got": 0.5, "allowed": 1e-7},
)  # fmt: skip
SYMPTOM = Text(en="The scores are <too> small.", ko="점수가 <너무> 작습니다.")
OTHER = Text(en="The mask is ignored.", ko="마스크가 무시됩니다.")
HINT = Text(en="Which width does `d_k` stand for?", ko="`d_k`는 어느 폭인가요?")
MISTAKE = Diagnosis(
    entry="attend", kind="mistake", alternatives=(("scale",),), symptoms=(SYMPTOM,), hints=(HINT,)
)


def results() -> tuple[CriterionResult, ...]:
    """Three criteria of one entry, the first passed, and one of another."""
    return (
        replace(criterion("shape"), entry="attend"),
        replace(criterion("output", Verdict.FAIL, CLOSE), entry="attend"),
        replace(criterion("weights", Verdict.FAIL, CLOSE), entry="attend"),
        replace(criterion("causality", Verdict.FAIL, CLOSE), entry="mask"),
    )


def diagnosed(*diagnoses: Diagnosis, **more: Any) -> Grade:
    criteria = more.pop("criteria", results())
    return grade("kim", criteria, diagnoses=diagnoses, **more)


def pages(view: StudentView, language: str) -> dict[str, str]:
    """What the page, the Markdown and the terminal say, without their markup."""
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(check_report(view, language))
    return {
        "html": read_page(report_html(view, language, "README.md")).text,
        "markdown": report_markdown(view, language).replace("\\", ""),
        "terminal": capture.get(),
    }


@pytest.mark.parametrize("language", ["en", "ko"])
def test_symptom_and_question_stand_under_the_first_criterion_that_lost_points(
    language: str,
) -> None:
    view = student_view(diagnosed(MISTAKE))
    assert [each.id for each in view.criteria if each.diagnosis] == ["output"]
    for name, said in pages(view, language).items():
        for text in (SYMPTOM, HINT):
            plain = text.of(language)
            assert plain in said or plain.replace("`", "") in said, name
        assert {"en": "Ask yourself:", "ko": "생각해 볼 질문:"}[language] in said, name
        assert {"en": "What it looks like", "ko": "이런 문제로 보입니다"}[language] in said, name
        titles = [each.title.of(language) for each in view.criteria]
        place = said.index(SYMPTOM.of(language))
        assert said.rindex(titles[1], 0, place) < place < said.index(titles[2], place), name


def test_nothing_of_a_rubric_is_taken_for_markup() -> None:
    view = student_view(diagnosed(MISTAKE))
    assert "&lt;too&gt;" in report_html(view, "en") and "<too>" not in report_html(view, "en")
    assert "<too>" not in report_markdown(view, "en")


@pytest.mark.parametrize(
    ("shown", "after_due", "seen"),
    [
        ("always", False, True),
        ("always", True, True),
        ("after_due", False, False),
        ("after_due", True, True),
        ("never", False, False),
        ("never", True, False),
    ],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_hints_are_shown_when_the_rubric_says(
    shown: Any, after_due: bool, seen: bool, language: str
) -> None:
    view = student_view(diagnosed(MISTAKE, show_hints=shown), after_due=after_due)
    said = [*pages(view, language).values(), report_json(view)]
    word = {"en": "Which width", "ko": "어느 폭인가요"}[language]
    assert {word in each for each in said} == {seen}
    assert all(SYMPTOM.of(language) in each for each in said)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_several_that_explain_it_are_said_to_be_several(language: str) -> None:
    both = replace(MISTAKE, alternatives=(("scale",), ("mask",)), symptoms=(SYMPTOM, OTHER))
    view = student_view(diagnosed(both))
    (seen,) = [each.diagnosis for each in view.criteria if each.diagnosis]
    assert not seen.certain
    heading = {
        "en": "Each of these would explain what came back",
        "ko": "다음 가운데 어느 것이든 이런 결과가 나올 수 있습니다",
    }[language]
    for said in pages(view, language).values():
        assert heading in said and OTHER.of(language) in said
    pair = student_view(diagnosed(replace(both, alternatives=(("scale", "mask"),))))
    (seen,) = [each.diagnosis for each in pair.criteria if each.diagnosis]
    assert seen.certain


CARRIED = Diagnosis(
    entry="attend", kind="carried", alternatives=(("m",),), symptoms=(SYMPTOM,), hints=(HINT,)
)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_carried_points_back_and_repeats_neither_symptom_nor_hint(language: str) -> None:
    view = student_view(diagnosed(CARRIED))
    for said in pages(view, language).values():
        assert {"en": "Mend that part first", "ko": "앞부분부터 고쳐"}[language] in said
        assert SYMPTOM.of(language) not in said and HINT.of(language) not in said


def shared(code: str, earned: Fraction) -> CriterionResult:
    reason = Finding(
        check="diagnosis", case="", verdict=Verdict.PASS, code=code, facts={"entry": "attend"},
        hidden=False,
    )  # fmt: skip
    return replace(criterion("output", Verdict.PASS, reason, earned=earned), entry="attend")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_was_paid_for_all_the_same_says_why(language: str) -> None:
    paid = shared("diagnosis.carried", Fraction(4))
    view = student_view(diagnosed(CARRIED, criteria=(paid,)))
    assert view.criteria[0].diagnosis is None
    for said in pages(view, language).values():
        assert {"en": "counted only once", "ko": "한 번만 감점"}[language] in said


@pytest.mark.parametrize("earned", [Fraction(4), Fraction(2)])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_variant_is_named_whether_or_not_it_earns_everything(
    earned: Fraction, language: str
) -> None:
    variant = Diagnosis(
        entry="attend", kind="variant", alternatives=(("pre-norm",),), symptoms=(OTHER,)
    )
    view = student_view(diagnosed(variant, criteria=(shared("diagnosis.variant", earned),)))
    for said in pages(view, language).values():
        assert OTHER.of(language) in said
        assert {"en": "Another choice", "ko": "다른 방식"}[language] in said


LOCATED = Diagnosis(
    entry="attend", kind="located", code="locate.along",
    facts={"output": "y", "axis": "T", "places": "2-4", "more": None},
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ko"])
def test_where_it_differs_is_a_sentence_with_its_numbers(language: str) -> None:
    for said in pages(student_view(diagnosed(LOCATED)), language).values():
        assert "2-4" in said
        assert {"en": "Where it differs", "ko": "달라지는 곳"}[language] in said


@pytest.mark.parametrize("language", ["en", "ko"])
def test_where_a_hidden_case_differs_reaches_no_student(language: str) -> None:
    secret = {"output": "CANARY", "axis": "CANARY", "places": "918273", "more": 918273}
    view = student_view(diagnosed(replace(LOCATED, facts=secret, hidden=True)))
    assert not any(each.diagnosis for each in view.criteria)
    for said in (*pages(view, language).values(), report_json(view), report_html(view, language)):
        assert "CANARY" not in said and "918273" not in said


def test_a_diagnosis_of_an_entry_that_lost_nothing_is_not_shown() -> None:
    passing = tuple(replace(criterion(name), entry="attend") for name in ("shape", "output"))
    view = student_view(diagnosed(MISTAKE, criteria=passing))
    assert not any(each.diagnosis for each in view.criteria)


def test_a_diagnosis_tells_neither_its_id_nor_where_it_was_met() -> None:
    view = student_view(diagnosed(replace(MISTAKE, alternatives=(("SECRET-ID",),))))
    assert "SECRET-ID" not in report_json(view)
    for language in ("en", "ko"):
        assert all("SECRET-ID" not in said for said in pages(view, language).values())


def test_every_kind_has_a_heading() -> None:
    for kind in ("mistake", "carried", "variant", "located"):
        view = student_view(diagnosed(replace(MISTAKE, kind=kind)))
        (seen,) = [each.diagnosis for each in view.criteria if each.diagnosis]
        headings = {diagnosis_heading(seen, language) for language in ("en", "ko")}
        assert len(headings) == 2 and all(headings)


def test_the_instructor_reads_the_ids_beside_the_mark() -> None:
    pair = replace(MISTAKE, alternatives=(("scale", "mask"), ("other",)))
    text = grades_csv((diagnosed(pair, LOCATED, CARRIED),))
    assert ",scale+mask or other," in text
