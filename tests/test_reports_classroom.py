import csv
import io
import json
import re
import time
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
    grades_csv,
    grades_json,
    pass_rates,
    points_text,
)
from grader.types import Grade

LANGUAGES = ("en", "ko")


def rows(grades: tuple[Grade, ...]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(grades_csv(grades))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_class_page_is_a_page_that_needs_nothing_else(language: str) -> None:
    page = read_page(class_html(the_class(), language))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "form"}
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
