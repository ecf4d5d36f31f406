import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import sample_grades
from html_pages import read_page
from markdown_it import MarkdownIt
from sample_grades import criterion, failing, finding, grade, passing

from grader.reports.schema import grade_schema
from grader.reports.student import draw, report_html, report_json, report_markdown
from grader.reports.view import StudentPicture, StudentView, student_view
from grader.types import Grade, Note, Origin, Verdict

SCHEMA = Path(__file__).parents[1] / "docs" / "schema" / "grade.schema.json"
LANGUAGES = ("en", "ko")
MADE = [
    sample_grades.passing, sample_grades.complete, sample_grades.failing, sample_grades.erring,
    sample_grades.withheld, sample_grades.not_started, sample_grades.unreadable,
    sample_grades.by_hand,
]  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style></title><b>",
    "\x1b[31mred\x1b[0m\x07", "\u202egnp.exe", "x" * 300, "\U0001f468\u200d\U0001f469 emoji",
    "한글 이름", "{entry.__class__}", "a\ud800b", "``` `code` ```", "one\n\n# two\n- three",
    "[link](javascript:alert(1))", "{{ 7 * 7 }}{% raw %}", "\u3164", "&lt;b&gt;", "*a* _b_ ~~c~~",
    "<!-- x", "]]>", "http://example.org www.example.org @someone #1", "`", "\\`", "|",
]  # fmt: skip


def hostile_view(text: str) -> StudentView:
    """A view in which every string of a student's making is `text`."""
    origin = Origin(file=text, line=3)
    raised = {"entry": text, "type": text, "message": text}
    findings = (
        finding("outcome.raised", raised, origin=origin, case=text),
        finding("outcome.mismatch_unexpected", {"entry": text, "names": [text, text]}),
        finding("forbidden.used", {"api": text, "line": text}, origin=origin),
        finding("close.text", {"output": text, "expected": "a", "got": text}),
    )
    notes = (
        Note(code="load.syntax", facts={"line": 1, "text": text, "reason": text}),
        Note(code="load.chosen", facts={"file": text, "others": [text]}, origin=origin),
    )
    whole = grade(text, (criterion("output", Verdict.ERROR, *findings),), notes=notes, file=text)
    return student_view(whole)


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_a_page_that_needs_nothing_else(
    made: Callable[[], Grade], language: str
) -> None:
    html = report_html(student_view(made()), language, "README.md")
    page = read_page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert ("html", "lang", language) in page.attributes
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", "content", policy) in page.attributes
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    links = [value for _, name, value in page.attributes if name in ("href", "src")]
    assert all(link.startswith(("#", "README.md#")) for link in links)
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_changes_no_tag_of_the_page(text: str, language: str) -> None:
    plain = read_page(report_html(hostile_view("plain"), language)).tags
    hostile = report_html(hostile_view(text), language)
    assert read_page(hostile).tags == plain
    assert not set("\x1b\x07\u202e\u3164") & set(hostile)
    hostile.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_changes_no_structure_of_the_markdown(text: str, language: str) -> None:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    def structure(source: str) -> list[str]:
        kinds = []
        for token in reader.parse(source):
            inner = [child.type for child in token.children or ()]
            kinds.append(f"{token.type} {' '.join(inner)}")
        return kinds

    hostile = report_markdown(hostile_view(text), language)
    assert structure(hostile) == structure(report_markdown(hostile_view("plain"), language))
    assert not set("\x1b\x07\u202e\u3164") & set(hostile)
    hostile.encode("utf-8")


@pytest.mark.parametrize("made", MADE)
def test_the_json_is_strict_and_follows_the_schema(made: Callable[[], Grade]) -> None:
    written = json.loads(report_json(student_view(made())), parse_constant=pytest.fail)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(written)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_json_of_hostile_text_follows_the_schema(text: str) -> None:
    written = report_json(hostile_view(text))
    written.encode("utf-8")
    jsonschema.validate(json.loads(written), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_schema_file_is_fresh() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == grade_schema()


def test_the_schema_describes_every_field() -> None:
    schema = json.loads(grade_schema())
    assert schema["properties"]["earned"]["description"].startswith("Points earned")
    assert schema["additionalProperties"] is False


def test_a_failing_report_says_what_was_seen_allowed_and_where() -> None:
    text = read_page(report_html(student_view(failing()), "en", "README.md")).text
    assert "37 of 96 values differ" in text
    assert "allowed difference: 1.018e-7" in text
    assert "cell 4, line 12" in text
    assert "Look first at: Values of the output" in text
    assert "Looked at once this passes: Values of the output" in text


def test_a_report_switches_every_word_to_korean() -> None:
    text = read_page(report_html(student_view(failing()), "ko")).text
    for word in ("points", "Not right yet", "hidden", "Criteria", "yours", "line "):
        assert word not in text


def test_a_verdict_is_never_told_by_colour_alone() -> None:
    text = read_page(report_html(student_view(failing()), "en")).text
    for word in ("Passed", "Not right yet", "Blocked", "To be marked"):
        assert word in text.partition("Legend")[0]


def test_pictures_show_got_beside_expected_on_one_scale() -> None:
    html = report_html(student_view(failing()), "en")
    assert html.count('class="heat"') == 3
    assert html.count("colours from 0 to 1<") == 2
    assert html.count('class="curve"') == 1


def test_drawn_samples_are_not_numbered_by_their_bins() -> None:
    rows = ((0.25, 0.5, 0.25), (0.5, 0.25, 0.25))
    losses, samples = (
        StudentPicture(kind="curve", label=label, name="y", values=rows)
        for label in ("picture.losses", "picture.samples")
    )
    numbered, bare = (drawn.svg for drawn in draw((losses, samples), "en"))
    assert ">2<" in numbered and ">2<" not in bare


def test_everything_that_passes_ends_in_what_is_left() -> None:
    text = read_page(report_html(student_view(passing()), "en")).text
    assert "All public checks pass: 13 of 13 points; 1 point is hidden or marked by hand." in text


def test_a_withheld_mark_is_never_a_zero() -> None:
    view = student_view(sample_grades.withheld())
    assert json.loads(report_json(view))["earned"] is None
    assert "0 / 14" not in read_page(report_html(view, "en")).text.partition("Criteria")[0]


@pytest.mark.parametrize("handout", ["javascript:alert(1)", "data:text/html,x", "file:///etc"])
def test_a_hand_out_that_is_no_page_is_not_linked(handout: str) -> None:
    assert handout not in report_html(student_view(failing()), "en", handout)


def test_the_markdown_names_verdicts_points_and_places() -> None:
    text = report_markdown(student_view(failing()), "en")
    assert "**Not right yet** · 0 / 4 points" in text
    assert "cell 4, line 12" in text
    assert "(hidden) A hidden case fails" in text


def test_a_report_takes_less_than_fifteen_milliseconds() -> None:
    whole = failing()
    large = replace(whole, criteria=whole.criteria * 2)
    report_html(student_view(large), "en")
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        report_html(student_view(large), "en")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.015
