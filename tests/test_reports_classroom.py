import base64
import csv
import hashlib
import io
import json
import re
import time
from dataclasses import replace
from fractions import Fraction
from urllib.parse import unquote

import pytest
from html_pages import read_page
from sample_grades import (
    complete,
    failing,
    grade,
    not_started,
    passing,
    the_class,
    unreadable,
    withheld,
)
from test_reports_student import HOSTILE

from grader.reports.classroom import (
    COLUMNS,
    class_html,
    folders,
    for_class,
    grades_csv,
    grades_json,
    pass_rates,
    points_text,
)
from grader.reports.misunderstandings import Person, mistakes_of, same
from grader.reports.student import report_html, report_json
from grader.reports.view import student_view
from grader.types import Alike, Diagnosis, Grade, Text, Unexplained, Verdict

LANGUAGES = ("en", "ko")


def rows(grades: tuple[Grade, ...]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(grades_csv(grades))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_class_page_is_a_page_that_needs_nothing_else(language: str) -> None:
    html = class_html(the_class(), language)
    page = read_page(html)
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "form"}
    assert [attributes for tag, attributes in page.tags if tag == "script"] == [()]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert set(re.findall(r"url\(.{6}", html)) == {'url("data:'}
    assert ("html", "lang", language) in page.attributes


def test_each_student_links_to_the_folder_that_folders_gives() -> None:
    grades = (passing("Kim"), passing("kim"), passing("a/b?c#d"), passing("김 민준"))
    page = read_page(class_html(grades, "en"))
    links = {unquote(value) for _, name, value in page.attributes if name == "href"}
    assert links == {
        f"{folder}/report.html" for folder in folders(g.student for g in grades).values()
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_change_no_tag_of_the_class_page(text: str) -> None:
    plain = read_page(class_html((failing("plain"), withheld("plain two")), "en")).tags
    html = class_html((failing(text), withheld(f"{text} two")), "en")
    assert read_page(html).tags == plain
    assert not set("\x1b\x07\u202e\u3164") & set(html)
    html.encode("utf-8")


def test_the_page_says_who_has_no_mark_and_why() -> None:
    text = " ".join(read_page(class_html(the_class(), "en")).text.split())
    assert "김도윤 (withheld): the grader failed in Shapes of the output" in text
    assert "the zygote ended" in text
    assert "Lee, Jun (unreadable): The file has a syntax error on line 7" in text
    assert "Every submission has a mark." in read_page(class_html((passing(),), "en")).text


def test_the_page_states_every_isolation_level_in_force() -> None:
    text = read_page(class_html(the_class(), "en")).text
    assert "15 of 17: Isolation level A" in text
    assert "1 of 17: Isolation level E" in text


def test_only_the_script_of_the_page_may_run() -> None:
    html = class_html((failing("<script>alert(1)</script>"),), "en")
    (body,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    (policy,) = re.findall(r'Security-Policy" content="([^"]*)"', html)
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def mistaken(student: str, *names: str, kind: str = "mistake") -> Grade:
    said = tuple(Text(en=f"It does {name}.", ko=f"{name}.") for name in names)
    made = Diagnosis(entry="f", kind=kind, alternatives=(names,), symptoms=said)  # type: ignore[arg-type]
    return replace(failing(student), diagnoses=(made,))


def text_of(*grades: Grade, alike: tuple[Alike, ...] | None = ()) -> str:
    return " ".join(read_page(class_html(grades, "en", alike)).text.split())


def test_known_mistakes_are_ranked_with_how_many_and_who() -> None:
    text = text_of(
        mistaken("ada", "rare"), mistaken("bob", "often", "rare"), mistaken("cho", "often"),
        mistaken("dan", "often"), mistaken("eve", "carried-only", kind="carried"),
    )  # fmt: skip
    assert "It does often.bobchodan" in text
    assert text.index("3often") < text.index("2rare")
    assert "It does rare.adabob" in text and "carried-only" not in text


def test_what_is_not_told_apart_is_one_row_and_what_was_told_before_is_not_told_again() -> None:
    several = Diagnosis(entry="f", kind="mistake", alternatives=(("a",), ("b", "c")))
    later = Diagnosis(
        entry="g", kind="mistake", alternatives=(("a", "d"),), symptoms=(Text(en="D.", ko="D."),)
    )
    first = replace(several, alternatives=(("a",),), symptoms=(Text(en="A.", ko="A."),))
    assert list(mistakes_of(replace(failing(), diagnoses=(several,)))) == ["a or b+c"]
    found = mistakes_of(replace(failing(), diagnoses=(first, later)))
    assert {name: [one.en for one in said] for name, said in found.items()} == {
        "a": ["A."],
        "d": ["D."],
    }


def puzzling(student: str, *answers: tuple[str, str], error: str = "") -> Grade:
    told = tuple(Unexplained(entry=entry, digest=one, error=error) for entry, one in answers)
    where = Diagnosis(entry="g", kind="located", code="locate.factor", facts=LOCATED, hidden=True)
    return replace(failing(student), unexplained=told, diagnoses=(where,))


LOCATED = {"output": "y", "factor": 2.0}


def test_answers_that_several_gave_and_nothing_explains_are_grouped() -> None:
    grades = (
        puzzling("ada", ("f", "1"), ("g", "2")), puzzling("bob", ("f", "1"), ("g", "2")),
        puzzling("cho", ("f", "3")), puzzling("dan", ("h", "4"), error="KeyError"),
        puzzling("eve", ("h", "4"), error="KeyError"),
    )  # fmt: skip
    people = {grade.student: Person(grade.student, "x") for grade in grades}
    first, second = same(grades, people)
    assert (first.entries, [one.name for one in first.people]) == (("f", "g"), ["ada", "bob"])
    assert (first.code, second.entries, second.error) == ("locate.factor", ("h",), "KeyError")
    assert "Every call stopped with KeyError" in text_of(*grades)


def test_nothing_of_unexplained_answers_reaches_the_student() -> None:
    grade = puzzling("ada", ("g", "0123456789abcdef"))
    assert "0123456789abcdef" not in report_json(student_view(grade))
    assert "0123456789abcdef" not in report_html(student_view(grade), "en")


def test_similar_code_names_the_students_and_how_similar() -> None:
    both = (Alike(students=("ada", "bob"), percent=97),)
    assert "97%adabob" in text_of(passing("ada"), passing("bob"), alike=both)
    assert "No two submissions have nearly the same code" in text_of(passing("ada"))
    assert "sequence-grader[instructor]" in text_of(passing("ada"), alike=None)


def test_the_page_and_the_sheets_need_no_evidence_but_our_faults() -> None:
    whole = (*the_class(), mistaken("ada", "often"), puzzling("bob", ("f", "1")))
    slim = tuple(for_class(grade) for grade in whole)
    assert class_html(slim, "en") == class_html(whole, "en")
    assert grades_csv(slim) == grades_csv(whole) and grades_json(slim) == grades_json(whole)
    kept = [f for grade in slim for result in grade.criteria for f in result.findings]
    assert {finding.verdict for finding in kept} == {Verdict.BROKEN}


def test_an_empty_class_has_a_page_too() -> None:
    assert "No submissions were found." in read_page(class_html((), "en")).text


def test_pass_rates_count_graded_submissions_only() -> None:
    rates = pass_rates((passing(), failing(), withheld(), not_started(), unreadable()))
    assert (rates[0].passed, rates[0].total) == (2, 2)
    assert (rates[1].passed, rates[1].total) == (1, 2)
    assert (rates[-1].passed, rates[-1].total, rates[-1].share) == (0, 0, 0.0)


def test_the_csv_has_exactly_the_agreed_columns() -> None:
    head = grades_csv(()).strip()
    assert head == "student,assignment,status,earned,possible,pending,diagnosis,note"
    assert head == ",".join(COLUMNS)


def test_no_mark_is_blank_and_never_a_zero() -> None:
    blank = rows((withheld(), unreadable()))
    assert [row["earned"] for row in blank] == ["", ""]
    assert [row["status"] for row in blank] == ["withheld", "unreadable"]
    assert rows((not_started(),))[0]["earned"] == "0"
    records = json.loads(grades_json((withheld(),)))["grades"]
    assert records[0]["earned"] is None


def test_points_are_rounded_and_shortened() -> None:
    row = rows((grade("kim", (), earned=Fraction(10, 3), possible=Fraction(13, 2)),))[0]
    assert (row["earned"], row["possible"], row["pending"]) == ("3.33", "6.5", "0")
    assert points_text(Fraction(10, 3)) == "3.33"


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@x", "\tx", "\r=x", " =1+1", "＝1+1", "=cmd|'/c calc'!A1"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    for row in csv.reader(io.StringIO(grades_csv((passing(name),)))):
        assert not any(re.match(r"[\s]*[=+\-@＝]", cell) for cell in row)
    assert rows((passing(name),))[0]["student"].startswith("'")


def test_a_negative_number_stays_a_number() -> None:
    row = rows((grade("kim", (), earned=Fraction(-1, 2), possible=Fraction(1)),))[0]
    assert row["earned"] == "-0.5"


@pytest.mark.parametrize("name", HOSTILE)
def test_the_csv_keeps_one_record_a_line(name: str) -> None:
    text = grades_csv((passing(name), failing("after")))
    assert len(text.splitlines()) == 3
    assert [row["student"] for row in rows((passing(name), failing("after")))][1] == "after"
    text.encode("utf-8")


def test_the_json_holds_the_columns_the_folder_and_every_verdict() -> None:
    records = json.loads(grades_json(the_class()))["grades"]
    assert len(records) == len(the_class())
    for record in records:
        assert set(record) == {*COLUMNS, "folder", "criteria"}
    verdicts = {
        one["id"]: one["verdict"]
        for one in json.loads(grades_json((failing(),)))["grades"][0]["criteria"]
    }
    assert verdicts["shape"] == "pass"
    assert verdicts["gradient"] == "blocked"
    assert verdicts["clarity"] == "pending"


def test_five_hundred_students_make_a_page_in_two_seconds() -> None:
    grades = tuple(complete(f"Student {index}") for index in range(500))
    class_html(grades[:1], "en")
    start = time.perf_counter()
    class_html(grades, "en")
    assert time.perf_counter() - start < 2
