"""Marks by hand: one by one or from a sheet, and what still waits."""

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest
from test_instructor import run
from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader.assignment import read_assignment
from grader.errors import UsageError
from grader.gradebook import Gradebook, MarkRow
from grader.marking import _as_written, decide, decided, from_sheet, sheet, waiting
from grader.policy import Policy
from grader.reports.legible import no_formula
from grader.sandbox.runner import Runner
from grader.standing import Pages, orphans, read_pages, standing_of
from grader.types import Rubric


@pytest.fixture
def course(tmp_path: Path, runner: Runner) -> Path:
    course = make_course(tmp_path / "course")
    folder = hand_in(tmp_path / "in", ada=RIGHT, bob=f"=1 # {WRONG}\n", 한별=WRONG)
    run(course, runner, folder, tmp_path / "out")
    return course


@pytest.fixture
def rubric(course: Path) -> Rubric:
    return read_assignment(course, "tiny").rubric


def pages_of(course: Path) -> Pages:
    with Gradebook(course / "gradebook.db") as book:
        return read_pages(book, "tiny")


def put(course: Path, rubric: Rubric, *told: tuple[str, str, str]) -> Pages:
    with Gradebook(course / "gradebook.db") as book:
        pages = read_pages(book, "tiny")
        marks = [decided(pages, rubric, *each, who="kim", why="so") for each in told]
        return decide(book, "tiny", marks, pages)[0]


def test_what_waits_is_listed_until_it_is_marked(course: Path, rubric: Rubric) -> None:
    names = [each.student for each in waiting(pages_of(course), rubric)]
    assert names == ["ada", "한별"]
    pages = put(course, rubric, ("ada", "clarity", "0.5"))
    assert [each.student for each in waiting(pages, rubric)] == ["한별"]
    standing = standing_of(pages, "ada", Policy())
    assert standing is not None
    assert (standing.earned, standing.possible, standing.pending) == (6.5, 6.5, 0)


def test_an_override_of_a_criterion_and_of_the_whole_and_taking_them_back(
    course: Path, rubric: Rubric
) -> None:
    def earned(*told: tuple[str, str, str]) -> Fraction | None:
        standing = standing_of(put(course, rubric, *told), "한별", Policy())
        return standing and standing.earned

    assert earned(("한별", "value", "1/2")) == Fraction(9, 2)
    assert earned(("한별", "total", "3")) == 3
    assert earned(("한별", "total", "none")) == Fraction(9, 2)
    assert earned(("한별", "value", "none")) == 4


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("nobody", "clarity", "0"), "a student who has handed in"),
        (("ada", "clarty", "0"), r"a criterion \(shape, .*total\), got 'clarty'"),
        (("ada", "clarity", "0.25"), r"one of 0, 0\.5"),
        (("ada", "value", "3"), "at most 2 points"),
        (("ada", "value", "-1"), "a number from 0 on"),
        (("ada", "value", "1/0"), "a number from 0 on"),
        (("ada", "total", "nan"), "a number from 0 on"),
    ],
)
def test_what_makes_no_sense_is_refused(
    told: tuple[str, str, str], said: str, course: Path, rubric: Rubric
) -> None:
    with pytest.raises(UsageError, match=said):
        put(course, rubric, told)
    assert pages_of(course).marks == {}


def filled(text: str, **points: str) -> str:
    """A sheet with points written into it."""
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    for row in rows:
        row["points"] = points.get(row["student"], "")
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_a_sheet_goes_out_with_the_code_and_comes_back(
    course: Path, rubric: Rubric, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.csv"
    with Gradebook(course / "gradebook.db") as book:
        pages = read_pages(book, "tiny")
        text = sheet(pages, rubric, book)
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert [(row["student"], row["criterion"], row["points"]) for row in rows] == [
            ("ada", "clarity", ""),
            ("한별", "clarity", ""),
        ]
        assert rows[0]["code"] == RIGHT and rows[0]["levels"] == "0.5: yes; 0: no"
        path.write_text(filled(text, 한별="0.5"), encoding="utf-8")
        marks, left = from_sheet(path, pages, rubric, "kim")
        assert ([mark.student for mark in marks], left) == (["한별"], 1)
        pages, written = decide(book, "tiny", marks, pages)
        assert (written, decide(book, "tiny", marks, pages)[1]) == (1, 0)
        assert [row.who for row in book.marks("tiny")] == ["kim"]


def test_one_wrong_row_and_nothing_of_a_sheet_is_taken(
    course: Path, rubric: Rubric, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text("student,criterion,points\nada,clarity,0.5\nbo,clarity,9\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"sheet\.csv line 3\nnothing was written"):
        from_sheet(path, pages_of(course), rubric, "kim")
    path.write_text("student,points\nada,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="the column 'criterion'"):
        from_sheet(path, pages_of(course), rubric, "kim")
    path.write_bytes(b"\xff\xfe\x00student")
    with pytest.raises(UsageError, match="CSV in UTF-8"):
        from_sheet(path, pages_of(course), rubric, "kim")


def test_a_mark_of_a_criterion_that_is_gone_counts_nowhere_and_is_listed(
    course: Path, rubric: Rubric
) -> None:
    mark = MarkRow(
        student="ada", criterion="gone", points=Fraction(5), who="kim", why="", submission=""
    )
    with Gradebook(course / "gradebook.db") as book:
        book.decide("tiny", [mark])
        pages = read_pages(book, "tiny")
    assert [each.criterion for each in orphans(pages)] == ["gone"]
    standing = standing_of(pages, "ada", Policy())
    assert standing is not None and standing.earned == 6


def test_marks_by_hand_stand_in_the_students_report(
    course: Path, rubric: Rubric, runner: Runner, tmp_path: Path
) -> None:
    put(course, rubric, ("ada", "clarity", "0.5"), ("한별", "total", "5"))
    result = run(course, runner, tmp_path / "in", tmp_path / "out")
    assert [(grade.student, grade.earned) for grade in result.grades if grade.earned] == [
        ("ada", 6.5),
        ("한별", 5),
    ]
    report = (tmp_path / "out" / "ada" / "report.html").read_text("utf-8")
    assert "Marked by hand" in report
    report = (tmp_path / "out" / "한별" / "report.html").read_text("utf-8")
    assert "The mark was set by hand to 5. so" in report


@pytest.mark.parametrize("cell", ["=1+1", "\t=1", "＝1", "@x", "'quoted", "plain"])
def test_a_cell_of_a_sheet_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    written = no_formula(cell)
    assert not written.lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert _as_written(written) == cell
