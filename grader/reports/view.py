"""What a student may know of a grade: the redaction.

The types here are the guarantee. A `HiddenLine` has room for a code of a fixed list and for
nothing else, so whatever a hidden case's evidence holds, there is nowhere to put it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, get_args

from grader.reports.legible import plain_facts, rounded_points, visible
from grader.reports.messages import said
from grader.types import (
    CriterionResult,
    Diagnosis,
    Facts,
    Finding,
    Grade,
    Note,
    Origin,
    Picture,
    Provenance,
    Status,
    Text,
    Verdict,
)

SCHEMA_OPTIONS: Any = {"extra": "forbid", "use_attribute_docstrings": True}

HiddenCode = Literal[
    "hidden.load",
    "hidden.failed",
    "hidden.error",
    "hidden.too",
    "hidden.timeout",
    "hidden.mismatch",
    "hidden.missing",
    "hidden.not_written",
    "hidden.forbidden",
    "relation.needs_values",
    "gradient.own_forward",
    "outcome.broken",
]
"""All that can be said of a hidden case; no sentence among these has room for a fact."""

_AS_THEY_ARE: dict[str, HiddenCode] = {
    "relation.needs_values": "relation.needs_values",
    "gradient.own_forward": "gradient.own_forward",
    "outcome.missing": "hidden.missing",
    "outcome.missing_near": "hidden.missing",
    "outcome.not_written": "hidden.not_written",
    "outcome.timeout": "hidden.timeout",
    "outcome.skipped": "hidden.timeout",
}
# A public finding that says the same says it better, with names and lines.
_ORDER: tuple[HiddenCode, ...] = get_args(HiddenCode)
_WRONG: frozenset[HiddenCode] = frozenset({"hidden.failed", "hidden.error"})
_SAID_BETTER_IN_PUBLIC: frozenset[HiddenCode] = frozenset(
    {"hidden.load", "hidden.mismatch", "hidden.missing", "hidden.not_written", "hidden.forbidden"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentPicture:
    """A small matrix or curve of a public case."""

    __pydantic_config__ = SCHEMA_OPTIONS
    kind: Literal["heatmap", "curve"]
    """How it is drawn."""
    label: str
    """Message code of its caption."""
    name: str
    """Which output it shows."""
    values: tuple[tuple[float | None, ...], ...]
    """Rows of a heatmap, or the lines of a curve; null where a value is not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentFinding:
    """What one check saw in public cases, or in the file itself."""

    __pydantic_config__ = SCHEMA_OPTIONS
    check: str
    """Name of the check; empty where it is about the file."""
    cases: tuple[str, ...]
    """Ids of the public cases that show it; empty where it is about the file."""
    verdict: Verdict
    """What it found."""
    code: str
    """Entry of the message catalogue."""
    facts: Facts
    """Evidence the sentence is filled with."""
    text: Text
    """The sentence."""
    origin: Origin | None = None
    """Line of the student's own code that it is about."""
    pictures: tuple[StudentPicture, ...] = ()
    """What people would rather look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenLine:
    """That hidden cases fail, and in which of few ways; nothing of what they saw."""

    __pydantic_config__ = SCHEMA_OPTIONS
    code: HiddenCode
    """Entry of the message catalogue."""
    text: Text
    """The sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentDiagnosis:
    """What is probably wrong in an entry: what was seen, and a question that helps."""

    __pydantic_config__ = SCHEMA_OPTIONS
    kind: Literal["mistake", "carried", "variant", "located"]
    """A known mistake, one of an earlier part, an accepted other choice, or where it differs."""
    certain: bool
    """Whether nothing else explains what came back as well."""
    symptoms: tuple[Text, ...]
    """What was seen."""
    hints: tuple[Text, ...]
    """Questions; none where the course does not show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentNote:
    """Something to know that costs nothing."""

    __pydantic_config__ = SCHEMA_OPTIONS
    code: str
    """Entry of the message catalogue."""
    facts: Facts
    """What the sentence is filled with."""
    text: Text
    """The sentence."""
    origin: Origin | None = None
    """Where it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentCriterion:
    """How one criterion came out, as its student sees it."""

    __pydantic_config__ = SCHEMA_OPTIONS
    id: str
    """Id of the criterion."""
    title: Text
    """Its title in the rubric."""
    verdict: Verdict | None
    """What was found; null while a person has yet to mark it."""
    points: float
    """What it could earn, rounded to two decimals."""
    earned: float
    """What it earned, rounded to two decimals."""
    bonus: bool
    """Whether its points are extra."""
    read: str
    """Anchor in the hand-out that explains it."""
    blocked_by: str
    """Id of the criterion that has to pass first; empty where there is none."""
    public_passed: int
    """How many public checks passed."""
    public_total: int
    """How many public checks there were."""
    findings: tuple[StudentFinding, ...]
    """What was seen in public cases and in the file."""
    hidden: tuple[HiddenLine, ...]
    """That hidden cases fail, at most one line for each way."""
    diagnosis: StudentDiagnosis | None
    """What is probably wrong, at the first criterion of an entry that did not pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentView:
    """One grade, as its student sees it."""

    __pydantic_config__ = SCHEMA_OPTIONS
    student: str
    """Name of the student."""
    assignment: str
    """Name of the assignment."""
    title: Text
    """Title of the assignment."""
    status: Status
    """Where the submission stands."""
    earned: float | None
    """Points earned, rounded to two decimals; null when withheld or unreadable."""
    possible: float
    """Points that could be earned so far, without pending ones and without bonus."""
    pending: float
    """Points that a person has yet to mark."""
    criteria: tuple[StudentCriterion, ...]
    """Criterion by criterion, in the rubric's order."""
    notes: tuple[StudentNote, ...]
    """What the student should know that costs nothing."""
    file: str
    """Name of the file that was graded."""
    provenance: Provenance | None
    """What the mark rests on."""


def student_view(grade: Grade, *, after_due: bool = False) -> StudentView:
    """What the student may know of a grade; hints may have to wait until after the due date."""
    hints = grade.show_hints == "always" or (grade.show_hints == "after_due" and after_due)
    diagnoses = _at_criteria(grade, hints)
    return StudentView(
        student=visible(grade.student),
        assignment=visible(grade.assignment),
        title=grade.title,
        status=grade.status,
        earned=None if grade.earned is None else _points(grade.earned),
        possible=_points(grade.possible),
        pending=_points(grade.pending),
        criteria=tuple(
            _load_said_once(
                _criterion(result, diagnoses.get(result.id)) for result in grade.criteria
            )
        ),
        notes=tuple(note_view(note) for note in grade.notes),
        file=visible(grade.file),
        provenance=_provenance(grade),
    )


def _provenance(grade: Grade) -> Provenance | None:
    """What the mark rests on, without the time it took where hidden cases were run.

    A submission could be the slower the larger a hidden input is, and read that in its report.
    """
    hidden = any(finding.hidden for result in grade.criteria for finding in result.findings)
    if grade.provenance is None or not hidden:
        return grade.provenance
    return replace(grade.provenance, seconds=0.0)


def _load_said_once(criteria: Iterable[StudentCriterion]) -> Iterable[StudentCriterion]:
    """A file that can't be loaded fails every criterion for one reason: the first one says it."""
    said_already = False
    for criterion in criteria:
        unloaded = any(finding.code.startswith("load.") for finding in criterion.findings)
        yield replace(criterion, findings=(), hidden=()) if unloaded and said_already else criterion
        said_already = said_already or unloaded


def note_view(note: Note) -> StudentNote:
    """A note with its sentence."""
    facts = plain_facts(note.facts)
    return StudentNote(
        code=note.code, facts=facts, text=said(note.code, facts), origin=_origin(note.origin)
    )


def _points(points: Fraction) -> float:
    return float(rounded_points(points))


def _at_criteria(grade: Grade, hints: bool) -> dict[str, StudentDiagnosis]:
    """Each diagnosis, by the first criterion of its entry that did not earn its points."""
    found = {}
    for diagnosis in grade.diagnoses:
        shown = _diagnosis(diagnosis, hints)
        about = [r for r in grade.criteria if r.entry == diagnosis.entry]
        lost = [r for r in about if r.earned < r.points]
        # A variant that earns everything is named all the same, where its share is explained.
        explained = [r for r in about if diagnosis.kind == "variant" and _by_diagnosis(r)]
        if shown is not None and (lost or explained):
            found[(lost or explained)[0].id] = shown
    return found


def _by_diagnosis(result: CriterionResult) -> bool:
    return any(finding.check == "diagnosis" for finding in result.findings)


def _diagnosis(diagnosis: Diagnosis, hints: bool) -> StudentDiagnosis | None:
    """What a student may see of it: of where it differs, nothing that a hidden case has shown."""
    symptoms = diagnosis.symptoms
    if diagnosis.kind == "carried":
        symptoms = (said("diagnosis.from_before", {}),)
    elif diagnosis.code and diagnosis.hidden:
        return None
    elif diagnosis.code:
        symptoms = (said(diagnosis.code, plain_facts(diagnosis.facts)),)
    return StudentDiagnosis(
        kind=diagnosis.kind,
        certain=len(diagnosis.alternatives) < 2,
        symptoms=symptoms,
        hints=diagnosis.hints if hints and diagnosis.kind == "mistake" else (),
    )


def _criterion(result: CriterionResult, diagnosis: StudentDiagnosis | None) -> StudentCriterion:
    # What a blocked criterion saw has the cause that the first one shows: one mistake, said once.
    shown = () if result.blocked_by else result.findings
    public = [finding for finding in shown if not finding.hidden]
    hidden = [finding for finding in shown if finding.hidden]
    return StudentCriterion(
        id=result.id,
        title=result.title,
        verdict=result.verdict,
        points=_points(result.points),
        earned=_points(result.earned),
        bonus=result.bonus,
        read=result.read,
        blocked_by=result.blocked_by,
        public_passed=sum(finding.verdict is Verdict.PASS for finding in public),
        public_total=len(public),
        findings=_merged(_public(finding) for finding in public if _worth_saying(finding)),
        hidden=_hidden_lines(hidden, public),
        diagnosis=diagnosis,
    )


def _worth_saying(finding: Finding) -> bool:
    return bool(finding.code) or finding.verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.BROKEN)


def _public(finding: Finding) -> StudentFinding:
    code, facts = finding.code or "ui.neutral", plain_facts(finding.facts)
    if finding.verdict is Verdict.BROKEN:
        # What failed on our side is for the instructor; it may name paths of this machine.
        code, facts = "outcome.broken", {}
    elif code == "outcome.missing" and facts.get("near"):
        code = "outcome.missing_near"
    elif code == "close.mismatch" and facts.get("total") == 1:
        code = "close.mismatch_one"
    return StudentFinding(
        check=finding.check,
        cases=(visible(finding.case),) if finding.case else (),
        verdict=finding.verdict,
        code=code,
        facts=facts,
        text=said(code, facts),
        origin=_origin(finding.origin),
        pictures=tuple(_picture(picture) for picture in finding.pictures),
    )


def _merged(findings: Iterable[StudentFinding]) -> tuple[StudentFinding, ...]:
    """Findings that say the same become one, with the cases of all."""
    kept: dict[str, StudentFinding] = {}
    for finding in findings:
        key = repr((finding.code, finding.text, finding.origin))
        known = kept.get(key)
        if known is None:
            kept[key] = finding
        else:
            cases = tuple(dict.fromkeys((*known.cases, *finding.cases)))
            kept[key] = replace(known, cases=cases, pictures=known.pictures or finding.pictures)
    return tuple(kept.values())


def _hidden_lines(hidden: Iterable[Finding], public: Iterable[Finding]) -> tuple[HiddenLine, ...]:
    known = {_hidden_code(finding) for finding in public}
    found = {code for finding in hidden if (code := _hidden_code(finding))}
    if known & _WRONG and found & _WRONG:  # what to try is seen in the public case
        found = found - _WRONG | {"hidden.too"}
    codes = sorted(found - (known & _SAID_BETTER_IN_PUBLIC), key=_ORDER.index)
    return tuple(HiddenLine(code=code, text=said(code, {})) for code in codes)


def _hidden_code(finding: Finding) -> HiddenCode | None:
    """What may be said of a finding, from its code and verdict alone."""
    if finding.verdict is Verdict.PASS:
        return None
    if finding.verdict is Verdict.BROKEN:
        return "outcome.broken"
    if finding.code in _AS_THEY_ARE:
        return _AS_THEY_ARE[finding.code]
    if finding.verdict is Verdict.BLOCKED:
        return None
    if finding.code.startswith("load."):
        return "hidden.load"
    if finding.code.startswith(("outcome.mismatch_", "parameters.")):
        return "hidden.mismatch"
    if finding.code.startswith("forbidden."):
        return "hidden.forbidden"
    return "hidden.error" if finding.verdict is Verdict.ERROR else "hidden.failed"


def _picture(picture: Picture) -> StudentPicture:
    return StudentPicture(
        kind=picture.kind,
        label=picture.label,
        name=visible(picture.name),
        values=tuple(
            tuple(float(value) if math.isfinite(value) else None for value in row)
            for row in picture.values
        ),
    )


def _origin(origin: Origin | None) -> Origin | None:
    return None if origin is None else replace(origin, file=visible(origin.file))
