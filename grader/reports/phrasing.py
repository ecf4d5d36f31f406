"""Small sentences that several pages share: a verdict, a status, a place, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from grader.reports.legible import points_text, visible
from grader.reports.messages import catalogue, say
from grader.reports.view import StudentCriterion, StudentDiagnosis, StudentView
from grader.types import Origin, Status, Verdict

PENDING: Final = "pending"
"""What stands in for the verdict of a criterion that a person has yet to mark."""

VERDICT_NAMES: Final = (*(str(verdict) for verdict in Verdict), PENDING)
"""Every verdict that a page may have to show, in the order of the legend."""

MARKS: Final = {"pass": "✓", "fail": "✗", "error": "!", "blocked": "-", "broken": "#", PENDING: "?"}
"""One character for each verdict; a word always stands beside it."""

ASCII_MARKS: Final = {**MARKS, "pass": "+", "fail": "x"}
"""The same for terminals that know no more."""


def verdict_name(verdict: Verdict | None) -> str:
    """The verdict as a key: pass, fail, error, blocked, broken or pending."""
    return PENDING if verdict is None else str(verdict)


def verdict_word(verdict: Verdict | None, language: str) -> str:
    """The verdict in a word or two."""
    return say(f"ui.verdict.{verdict_name(verdict)}", {}, language)


def status_word(status: Status, language: str) -> str:
    """Where a submission stands, in a word or two."""
    return say(f"ui.status.{status.value.replace(' ', '_')}", {}, language)


def where(origin: Origin, language: str) -> str:
    """A place in what the student wrote: "cell 3, line 12", or the file and the line."""
    if origin.cell is not None:
        return say("ui.cell_line", {"cell": origin.cell, "line": origin.line}, language)
    return say("ui.file_line", {"file": origin.file, "line": origin.line}, language)


def amount(points: float) -> str:
    """Points of a view, which are rounded already, as text."""
    return points_text(Fraction(points))


def isolation_statement(level: str | None, language: str) -> str:
    """How submissions were shut in; `level` is None where nothing was run."""
    if not level:
        return say("ui.isolation.none", {}, language)
    code = f"ui.isolation.{level}"
    if code in catalogue():
        return say(code, {}, language)
    return say("ui.isolation.other", {"level": visible(level)}, language)


LAYERS = {
    "A": ("namespaces", "landlock", "seccomp", "limits"),
    "B": ("landlock", "seccomp", "limits"),
    "E": ("limits",),
}
"""What each level of isolation is made of."""


def layer_statements(level: str, language: str) -> dict[str, str]:
    """What each layer of an isolation level gives, by the layer's name."""
    return {name: say(f"ui.layer.{name}", {}, language) for name in LAYERS.get(level, ())}


def next_step(view: StudentView, language: str) -> str:
    """One line that says what to do next."""
    if view.status is Status.UNREADABLE:
        return say("ui.next.unreadable", {}, language)
    if view.status is Status.WITHHELD:
        return say("ui.next.withheld", {}, language)
    first = first_to_mend(view.criteria)
    title = "" if first is None else first.title.of(language)
    if view.status is Status.NOT_STARTED:
        code = "ui.next.not_started" if first else "ui.next.begin"
        return say(code, {"title": title}, language)
    if first is not None:
        failing = [criterion for criterion in view.criteria if _fails(criterion)]
        only_hidden = not any(criterion.findings for criterion in failing)
        return say("ui.next.hidden" if only_hidden else "ui.next.mend", {"title": title}, language)
    facts = {
        "earned": amount(view.earned or 0),
        "possible": amount(view.possible),
        "pending": amount(view.pending),
    }
    if not view.pending:
        return say("ui.next.all_pass", facts, language)
    one = "_one" if facts["pending"] == "1" else ""
    return say(f"ui.next.public_pass{one}", facts, language)


def public_share(view: StudentView, language: str) -> str:
    """How much of what is public is right, and how much is not public."""
    facts = {
        "passed": amount(view.earned or 0),
        "total": amount(view.possible),
        "rest": amount(view.pending),
    }
    one = "_one" if facts["rest"] == "1" else ""
    return say(f"ui.public_of{one}", facts, language)


def first_to_mend(criteria: Sequence[StudentCriterion]) -> StudentCriterion | None:
    """The first criterion that does not pass, where there is one."""
    return next((criterion for criterion in criteria if _fails(criterion)), None)


def first_case(view: StudentView) -> str:
    """The public case to look at first; empty where none fails."""
    first = first_to_mend(view.criteria)
    cases = [case for finding in (first.findings if first else ()) for case in finding.cases]
    return cases[0] if cases else ""


def _fails(criterion: StudentCriterion) -> bool:
    # What is extra may be left out.
    return criterion.verdict in (Verdict.FAIL, Verdict.ERROR) and not criterion.bonus


def diagnosis_heading(seen: StudentDiagnosis, language: str) -> str:
    """What stands over a diagnosis."""
    if seen.kind == "mistake" and not seen.certain:
        return say("ui.diagnosis.several", {}, language)
    return say(f"ui.diagnosis.{seen.kind}", {}, language)
