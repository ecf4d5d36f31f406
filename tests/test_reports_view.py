import itertools
import json
import math
import warnings
from dataclasses import fields

import numpy as np
import pytest
from rich.console import Console
from sample_grades import (
    criterion,
    erring,
    failing,
    finding,
    good,
    grade,
    maps,
    passing,
    withheld,
)

from grader.reports.messages import CatalogueWarning, catalogue, placeholders
from grader.reports.student import report_html, report_json, report_markdown
from grader.reports.terminal import check_report
from grader.reports.view import HiddenCode, HiddenLine, plain_facts, student_view
from grader.types import Finding, Origin, Picture, Verdict

CANARY = "CANARY918273"
NUMBER = 918273.5
WHOLE = 918273
CODES = sorted(code for code in catalogue() if not code.startswith("ui."))
ORIGIN = Origin(file=CANARY, line=WHOLE, cell=WHOLE)
CLOSE = finding(
    "close.mismatch",
    {"output": "y", "wrong": 3, "total": 6, "worst": 0.5, "at": [0, 1], "expected": 1.0,
     "got": 0.5, "allowed": 1e-7},
)  # fmt: skip
PICTURE = Picture(kind="heatmap", label=CANARY, name=CANARY, values=((NUMBER, 1.0),))


def hidden(code: str, verdict: Verdict, value: object = CANARY) -> Finding:
    names = placeholders(code, "en", optional=True) if code in catalogue() else ()
    facts = dict.fromkeys((*names, "message", "near", "entry", "reason", "line"), value)
    return Finding(
        check=CANARY, case=CANARY, verdict=verdict, code=code, facts=facts, hidden=True,
        origin=ORIGIN, pictures=(PICTURE,),
    )  # fmt: skip


def everything_said(findings: tuple[Finding, ...], verdict: Verdict | None) -> str:
    view = student_view(grade("kim", (criterion("output", verdict, *findings),)))
    console = Console(width=200, color_system=None)
    said = [report_json(view)]
    for language in ("en", "ko"):
        said += [report_html(view, language, "README.md"), report_markdown(view, language)]
        with console.capture() as capture:
            console.print(check_report(view, language))
        said.append(capture.get())
        assert said[-1]
    return "\n".join(said)


@pytest.mark.parametrize("value", [CANARY, NUMBER, WHOLE, [WHOLE, CANARY], {CANARY: NUMBER}])
def test_no_canary_in_a_hidden_fact_reaches_any_report(value: object) -> None:
    every = tuple(
        hidden(code, verdict, value)
        for code, verdict in itertools.product([*CODES, f"made.{CANARY}", ""], Verdict)
    )
    for verdict in (*Verdict, None):
        said = everything_said(every, verdict)
        assert CANARY not in said
        assert str(WHOLE) not in said


@pytest.mark.parametrize("code", CODES)
def test_no_single_hidden_code_lets_a_canary_through(code: str) -> None:
    for verdict in Verdict:
        assert CANARY not in everything_said((hidden(code, verdict),), Verdict.FAIL)


def test_a_hidden_line_has_room_for_a_code_and_its_sentence_only() -> None:
    assert [field.name for field in fields(HiddenLine)] == ["code", "text"]
    for code in HiddenCode.__args__:  # type: ignore[attr-defined]
        assert not placeholders(code, "en", optional=True)


def test_hidden_findings_merge_to_one_line_of_each_kind() -> None:
    findings = (
        hidden("close.mismatch", Verdict.FAIL), hidden("causal.leak", Verdict.FAIL),
        hidden("outcome.raised", Verdict.ERROR), hidden("outcome.died", Verdict.ERROR),
        hidden("outcome.timeout", Verdict.ERROR), hidden("outcome.skipped", Verdict.ERROR),
    )  # fmt: skip
    view = student_view(grade("kim", (criterion("output", Verdict.FAIL, *findings),)))
    assert [line.code for line in view.criteria[0].hidden] == [
        "hidden.failed",
        "hidden.error",
        "hidden.timeout",
    ]
    assert view.criteria[0].findings == ()


@pytest.mark.parametrize("code", ["close.mismatch", "outcome.raised"])
def test_what_a_public_case_shows_is_not_hunted_for_in_hidden_ones(code: str) -> None:
    findings = (CLOSE, hidden(code, Verdict.FAIL), hidden("outcome.timeout", Verdict.ERROR))
    view = student_view(grade("kim", (criterion("output", Verdict.FAIL, *findings),)))
    assert [line.code for line in view.criteria[0].hidden] == ["hidden.too", "hidden.timeout"]


def test_a_single_number_that_differs_has_no_place() -> None:
    one = finding("close.mismatch", {**CLOSE.facts, "wrong": 1, "total": 1, "at": []})
    view = student_view(grade("kim", (criterion("output", Verdict.FAIL, one),)))
    (seen,) = view.criteria[0].findings
    assert seen.code == "close.mismatch_one"
    assert seen.text.en == "y differs: expected 1, got 0.5 (allowed difference: 1e-7)."


def test_a_hidden_absence_is_not_repeated_where_a_public_finding_names_it() -> None:
    entry = {"entry": "attend"}
    public = finding("outcome.missing", entry, verdict=Verdict.ERROR)
    findings = (public, hidden("outcome.missing", Verdict.ERROR))
    view = student_view(grade("kim", (criterion("output", Verdict.ERROR, *findings),)))
    assert not view.criteria[0].hidden
    alone = student_view(grade("kim", (criterion("output", Verdict.ERROR, findings[1]),)))
    assert [line.code for line in alone.criteria[0].hidden] == ["hidden.missing"]


def test_a_property_that_waits_for_the_values_is_said_for_hidden_cases_too() -> None:
    waiting = hidden("relation.needs_values", Verdict.BLOCKED)
    view = student_view(grade("kim", (criterion("output", Verdict.FAIL, waiting),)))
    assert [line.code for line in view.criteria[0].hidden] == ["relation.needs_values"]


def test_public_findings_keep_their_facts_origin_and_pictures() -> None:
    view = student_view(failing())
    weights, causality = view.criteria[2], view.criteria[3]
    assert weights.findings[0].facts["at"] == [0, 2, 1]
    assert [picture.label for picture in weights.findings[0].pictures] == [
        "picture.got",
        "picture.expected",
        "picture.error",
    ]
    assert causality.findings[0].origin == Origin(file="mha.ipynb", cell=4, line=12)


def test_the_same_finding_in_two_public_cases_is_one_with_both_cases() -> None:
    entry = {"entry": "attend"}
    findings = [finding("outcome.missing", entry, case=case) for case in ("one", "two", "two")]
    view = student_view(grade("kim", (criterion("output", Verdict.ERROR, *findings),)))
    assert [one.cases for one in view.criteria[0].findings] == [("one", "two")]


def test_public_checks_are_counted_and_hidden_ones_are_not() -> None:
    findings = (good(), finding("close.text", {"output": "x", "expected": 1, "got": 2}))
    view = student_view(
        grade("kim", (criterion("output", Verdict.FAIL, *findings, good(hidden=True)),))
    )
    assert (view.criteria[0].public_passed, view.criteria[0].public_total) == (1, 2)


def test_how_long_hidden_cases_took_is_not_said() -> None:
    timed = [
        student_view(grade("Ada", (criterion("shape", Verdict.PASS, found),))).provenance
        for found in (good(), good(hidden=True))
    ]
    assert [made.seconds > 0 for made in timed if made is not None] == [True, False]


def test_our_fault_is_said_without_its_reason() -> None:
    view = student_view(withheld())
    broken = view.criteria[0].findings[0]
    assert (broken.code, broken.facts) == ("outcome.broken", {})
    assert view.earned is None


def test_a_missing_name_with_one_near_it_asks_whether_that_was_meant() -> None:
    missing = finding("outcome.missing", {"entry": "attend", "near": "attention"})
    view = student_view(grade("kim", (criterion("output", Verdict.ERROR, missing),)))
    assert view.criteria[0].findings[0].code == "outcome.missing_near"


def test_facts_become_strict_json() -> None:
    facts = plain_facts(
        {
            "nan": math.nan,
            "int": np.int64(3),
            "float": np.float64(0.5),
            "tuple": (1, 2),
            "text": "a\u202eb\ud800",
            "huge": 10**5000,
            "none": None,
            "flag": True,
        }
    )
    text = json.dumps(facts, allow_nan=False)
    assert json.loads(text) == facts
    assert facts["nan"] == "NaN"
    assert facts["int"] == 3
    assert facts["tuple"] == [1, 2]


def test_a_picture_keeps_its_place_for_what_is_no_number() -> None:
    values = ((math.nan, 1.0), (math.inf, 2.0))
    picture = Picture(kind="heatmap", label="picture.got", name="x", values=values)
    bad = finding("finite.not_finite", {"output": "x", "bad": 2, "total": 4, "at": [0, 0]},
                  pictures=(picture, *maps()))  # fmt: skip
    view = student_view(grade("kim", (criterion("output", Verdict.FAIL, bad),)))
    assert view.criteria[0].findings[0].pictures[0].values == ((None, 1.0), (None, 2.0))


def test_an_unknown_code_is_shown_as_something_to_look_at() -> None:
    odd = finding("made.up", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CatalogueWarning)
        view = student_view(grade("kim", (criterion("output", Verdict.FAIL, odd),)))
    assert view.criteria[0].findings[0].text.en == catalogue()["ui.neutral"].en


@pytest.mark.parametrize("made", [passing, failing, erring, withheld])
def test_a_view_holds_the_points_of_its_grade(made: object) -> None:
    whole = made()  # type: ignore[operator]
    view = student_view(whole)
    assert view.possible == float(whole.possible)
    assert len(view.criteria) == len(whole.criteria)
