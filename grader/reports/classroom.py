"""The instructor's pages: the class at a glance, and its marks as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import mean, median
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from grader.reports.folders import folder_of, folders
from grader.reports.legible import (
    no_formula,
    plain_facts,
    points_text,
    rounded_points,
    visible,
)
from grader.reports.messages import said, say
from grader.reports.misunderstandings import (
    Person,
    Ranked,
    Same,
    Similar,
    mistakes_of,
    ranked,
    same,
    similar,
)
from grader.reports.pages import render
from grader.reports.phrasing import (
    VERDICT_NAMES,
    isolation_statement,
    status_word,
    verdict_name,
)
from grader.reports.svg import histogram
from grader.types import Alike, CriterionResult, Finding, Grade, Status, Text, Verdict

__all__ = [
    "COLUMNS",
    "class_html",
    "criterion_titles",
    "folder_of",
    "folders",
    "for_class",
    "grades_csv",
    "grades_json",
    "pass_rates",
    "points_text",
    "reasons",
]

COLUMNS = (
    "student",
    "assignment",
    "status",
    "earned",
    "possible",
    "pending",
    "diagnosis",
    "note",
)
"""Columns of grades.csv, in order."""

# The full-width forms are formulas too, in a spreadsheet with an East Asian locale; the symbols
# are what a tab and the line ends have become by then.


@dataclass(frozen=True, slots=True)
class PassRate:
    """How many of the graded submissions pass one criterion."""

    title: Text
    """Title of the criterion."""
    passed: int
    """Submissions that pass."""
    total: int
    """Graded submissions in which it has a verdict."""

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.passed / self.total if self.total else 0.0

    @property
    def percent(self) -> int:
        """The share in whole percent."""
        return round(100 * self.share)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no mark, as a record."""

    code: str
    """Entry of the message catalogue."""
    facts: dict[str, Any]
    """What the sentence is filled with."""


@dataclass(frozen=True, slots=True)
class Row:
    """One submission in the table."""

    person: Person
    """The student."""
    status: Status
    """Where it stands."""
    earned: str | None
    """Points earned; None where there is no mark."""
    possible: str
    """Points that could be earned."""
    share: float
    """What it is sorted by: earned points to possible ones, -1 where there is no mark."""
    pending: str
    """Points to be marked, empty where there are none."""
    verdicts: tuple[str | None, ...]
    """A verdict for each criterion, None where there is none."""
    mistakes: tuple[str, ...]
    """Names of the known mistakes it makes."""
    reasons: tuple[Reason, ...]
    """Why there is no mark."""


@dataclass(frozen=True, slots=True)
class ClassPage:
    """Everything the class page shows."""

    title: Text
    """Title of the assignment."""
    assignment: str
    """Name of the assignment."""
    tiles: tuple[tuple[str, str], ...]
    """Numbers at a glance, each with its word."""
    rates: tuple[PassRate, ...]
    """One for each criterion."""
    histogram: Markup
    """Distribution of marks."""
    mistakes: tuple[Ranked, ...]
    """Known mistakes, the most frequent first."""
    same: tuple[Same, ...]
    """Answers that nothing known explains, and that several gave."""
    similar: tuple[Similar, ...] | None
    """Submissions with nearly the same code; None where that was not looked at."""
    statuses: tuple[Status, ...]
    """Where submissions stand, each once."""
    rows: tuple[Row, ...]
    """One for each submission."""
    withheld: tuple[Row, ...]
    """Those without a mark."""
    words: dict[str, str]
    """The word for each verdict."""
    isolation: tuple[str, ...]
    """How submissions were shut in."""


def for_class(grade: Grade) -> Grade:
    """What the page and the sheets of a class need of a grade: of the evidence only our faults."""
    slim = tuple(
        replace(result, findings=tuple(f for f in result.findings if f.verdict is Verdict.BROKEN))
        for result in grade.criteria
    )
    return replace(grade, criteria=slim)


def class_html(grades: Sequence[Grade], language: str, alike: Sequence[Alike] | None = None) -> str:
    """The class page, which links to `<folder>/report.html` for each student.

    Args:
        grades: the class, whole or as `for_class` leaves it.
        language: "en" or "ko".
        alike: groups of similar code; None where that was not looked at.
    """
    titles = criterion_titles(grades)
    people = {
        student: Person(visible(student), f"{quote(folder)}/report.html")
        for student, folder in folders(grade.student for grade in grades).items()
    }
    ordered = sorted(grades, key=lambda grade: grade.student.casefold())
    rows = tuple(_row(grade, people[grade.student], titles, language) for grade in ordered)
    first = grades[0] if grades else None
    page = ClassPage(
        title=first.title if first else said("ui.class_report", {}),
        assignment=visible(first.assignment) if first else "",
        tiles=_tiles(grades, language),
        rates=pass_rates(grades),
        histogram=_histogram(grades, language),
        mistakes=ranked(ordered, people),
        same=same(ordered, people),
        similar=None if alike is None else similar(alike, people),
        statuses=tuple(each for each in Status if any(row.status is each for row in rows)),
        rows=rows,
        withheld=tuple(row for row in rows if row.earned is None),
        words={name: say(f"ui.verdict.{name}", {}, language) for name in VERDICT_NAMES},
        isolation=_isolation(grades, language),
    )
    return render("class.html", language, page=page)


def grades_csv(grades: Sequence[Grade]) -> str:
    """The marks as CSV with the columns of `COLUMNS`; no cell is a formula to a spreadsheet."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    for grade in grades:
        record = _record(grade)
        writer.writerow([csv_cell(record[column]) for column in COLUMNS])
    return sheet.getvalue()


def grades_json(grades: Sequence[Grade]) -> str:
    """The marks as JSON: the columns of the CSV, the folder, and each criterion's verdict."""
    named = folders(grade.student for grade in grades)
    records = [
        {
            **_record(grade),
            "folder": named[grade.student],
            "criteria": [
                {
                    "id": result.id,
                    "title": {"en": result.title.en, "ko": result.title.ko},
                    "verdict": verdict_name(result.verdict),
                    "earned": _number(result.earned),
                    "points": _number(result.points),
                    "bonus": result.bonus,
                }
                for result in grade.criteria
            ],
        }
        for grade in grades
    ]
    return json.dumps({"grades": records}, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def criterion_titles(grades: Sequence[Grade]) -> dict[str, Text]:
    """Titles of all criteria by id, in the rubric's order."""
    return {result.id: result.title for grade in grades for result in grade.criteria}


def pass_rates(grades: Sequence[Grade]) -> tuple[PassRate, ...]:
    """How many graded submissions pass each criterion; what waits for a person counts nowhere."""
    verdicts: dict[str, Counter[str]] = {}
    for grade in grades:
        for result in grade.criteria:
            counts = verdicts.setdefault(result.id, Counter())
            if grade.status is Status.GRADED and result.verdict is not None:
                counts["total"] += 1
                counts["passed"] += result.verdict is Verdict.PASS
    return tuple(
        PassRate(title, verdicts[id_]["passed"], verdicts[id_]["total"])
        for id_, title in criterion_titles(grades).items()
    )


def reasons(grade: Grade, language: str) -> tuple[Reason, ...]:
    """Why a submission has no mark, or what its instructor should know of it: our faults first."""
    faults = [
        Reason("ui.class.broken", _fault(result, finding, language))
        for result in grade.criteria
        for finding in result.findings
        if finding.verdict is Verdict.BROKEN
    ]
    notes = [Reason(note.code, plain_facts(note.facts)) for note in grade.notes]
    once = {say(one.code, one.facts, language): one for one in (*faults, *notes)}
    return tuple(once.values())


def _fault(result: CriterionResult, finding: Finding, language: str) -> dict[str, Any]:
    told = ", ".join(f"{key}={value}" for key, value in plain_facts(finding.facts).items())
    return {
        "title": result.title.of(language),
        "case": visible(finding.case),
        "reason": told or say("ui.class.no_reason", {}, language),
    }


def _row(grade: Grade, person: Person, titles: dict[str, Text], language: str) -> Row:
    verdicts = {result.id: verdict_name(result.verdict) for result in grade.criteria}
    return Row(
        person=person,
        status=grade.status,
        earned=None if grade.earned is None else points_text(grade.earned),
        possible=points_text(grade.possible),
        share=-1.0 if grade.earned is None else float(grade.earned / (grade.possible or 1)),
        pending=points_text(grade.pending) if grade.pending else "",
        verdicts=tuple(verdicts.get(id_) for id_ in titles),
        mistakes=tuple(visible(name) for name in mistakes_of(grade)),
        reasons=reasons(grade, language) if grade.earned is None else (),
    )


def _shares(grades: Sequence[Grade]) -> list[Fraction]:
    return [
        grade.earned / grade.possible
        for grade in grades
        if grade.status is Status.GRADED and grade.earned is not None and grade.possible
    ]


def _tiles(grades: Sequence[Grade], language: str) -> tuple[tuple[str, str], ...]:
    shares = _shares(grades)
    tiles = [(str(len(grades)), say("ui.class.students", {}, language))]
    if shares:
        full = sum(share >= 1 for share in shares)
        tiles += [
            (f"{round(100 * mean(shares))}%", say("ui.class.mean", {}, language)),
            (f"{round(100 * median(shares))}%", say("ui.class.median", {}, language)),
            (str(full), say("ui.class.full", {}, language)),
        ]
    statuses = Counter(grade.status for grade in grades)
    tiles += [
        (str(statuses[status]), status_word(status, language))
        for status in Status
        if status is not Status.GRADED and statuses[status]
    ]
    return tuple(tiles)


def _histogram(grades: Sequence[Grade], language: str) -> Markup:
    counts = Counter(max(0, min(int(share * 10), 9)) for share in _shares(grades))
    tenths = [counts[tenth] for tenth in range(10)]
    told = {"counts": ", ".join(map(str, tenths))}
    return histogram(tenths, say("ui.class.distribution_text", told, language))


def _isolation(grades: Sequence[Grade], language: str) -> tuple[str, ...]:
    levels = Counter(grade.provenance.isolation if grade.provenance else "" for grade in grades)
    if len(levels) == 1:
        return tuple(isolation_statement(level, language) for level in levels)
    return tuple(
        say(
            "ui.class.isolation_count",
            {
                "count": count,
                "total": len(grades),
                "statement": isolation_statement(level, language),
            },
            language,
        )
        for level, count in sorted(levels.items())
    )


def _record(grade: Grade) -> dict[str, Any]:
    return {
        "student": visible(grade.student),
        "assignment": visible(grade.assignment),
        "status": grade.status.value,
        "earned": None if grade.earned is None else _number(grade.earned),
        "possible": _number(grade.possible),
        "pending": _number(grade.pending),
        "diagnosis": _diagnosis(grade),
        "note": " ".join(say(one.code, one.facts, "en") for one in reasons(grade, "en")),
    }


def _diagnosis(grade: Grade) -> str:
    """Names of the mistakes: "+" joins those made together, "or" those not told apart."""
    told = [
        " or ".join("+".join(ids) for ids in each.alternatives)
        for each in grade.diagnoses
        if each.kind in ("mistake", "variant")
    ]
    return "; ".join(dict.fromkeys(told))


def _number(points: Fraction) -> float | int:
    rounded = rounded_points(points)
    return int(rounded) if rounded.denominator == 1 else float(rounded)


def csv_cell(value: object) -> str:
    """A value as a cell of a CSV of ours: one line, and no formula to a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return points_text(Fraction(value))
    return no_formula(str(value).replace("\n", " "))
