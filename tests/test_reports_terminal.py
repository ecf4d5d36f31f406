import io
from collections.abc import Callable
from dataclasses import replace

import pytest
import sample_grades
from rich.cells import cell_len
from rich.console import Console
from sample_grades import failing, passing, the_class
from test_reports_student import HOSTILE, hostile_view

from grader.reports.terminal import check_report, class_report
from grader.reports.view import student_view
from grader.types import Grade, Verdict

MADE = [
    sample_grades.passing, sample_grades.failing, sample_grades.erring, sample_grades.withheld,
    sample_grades.not_started, sample_grades.unreadable, sample_grades.complete,
]  # fmt: skip


def printed(what: object, width: int = 100, encoding: str = "utf-8", **more: object) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=stream, width=width, **more).print(what)  # type: ignore[arg-type]
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(
    made: Callable[[], Grade], language: str, width: int
) -> None:
    for what in (check_report(student_view(made()), language), class_report([made()], language)):
        lines = printed(what, width).splitlines()
        assert all(cell_len(line.rstrip()) <= width for line in lines)


def test_the_last_line_says_what_to_do_next() -> None:
    lines = printed(check_report(student_view(failing()), "en")).splitlines()
    assert lines[-1] == "Look first at: Values of the output"
    lines = printed(check_report(student_view(passing()), "en")).splitlines()
    assert lines[-1].startswith("All public checks pass: 13 of 13 points;")


def test_what_is_extra_and_was_left_out_is_not_to_be_mended() -> None:
    done = passing()
    extra = replace(done.criteria[0], id="extra", bonus=True, verdict=Verdict.ERROR)
    left_out = replace(done, criteria=(*done.criteria, extra))
    lines = printed(check_report(student_view(left_out), "en")).splitlines()
    assert lines[-1].startswith("All public checks pass")


def test_every_criterion_has_a_mark_a_word_and_its_points() -> None:
    text = printed(check_report(student_view(failing()), "en"))
    assert "✓ Shapes of the output and the attention map  1/1  Passed" in text
    assert "✗ Values of the output  0/4  Not right yet" in text
    assert "(case causal; cell 4, line 12)" in text


def test_colour_goes_away_for_no_color_and_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    report = check_report(student_view(failing()), "en")
    assert "\x1b[" not in printed(report)
    assert "\x1b[1;31m" in printed(report, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(report, force_terminal=True, color_system="standard")
    assert "31m" not in text
    assert "Not right yet" in text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_knows_ascii_only_gets_plain_marks(encoding: str) -> None:
    text = printed(check_report(student_view(passing()), "en"), encoding=encoding)
    assert "+ Values of the output" in text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_hostile_text_sends_nothing_to_the_terminal(text: str, language: str) -> None:
    shown = printed(check_report(hostile_view(text), language))
    assert not set("\x1b\x07\u202e\u3164") & set(shown)
    shown = printed(class_report([failing(text), passing("after")], language))
    assert not set("\x1b\x07\u202e\u3164") & set(shown)
    assert "after" in shown


def test_markup_in_a_name_stays_text() -> None:
    assert "[bold]x[/bold]" in printed(class_report([passing("[bold]x[/bold]")], "en"))


def test_the_class_table_has_every_student_and_who_has_no_mark() -> None:
    text = printed(class_report(the_class(), "en"), width=120)
    for grade in the_class():
        assert grade.student in text
    assert "13 / 13" in text
    assert text.splitlines()[-1].strip() == "14 graded, 1 not started, 2 without a mark."


def test_a_narrow_class_table_leaves_the_verdicts_out() -> None:
    assert "✓" in printed(class_report([passing()], "en"), width=100)
    assert "✓" not in printed(class_report([passing()], "en"), width=50)
