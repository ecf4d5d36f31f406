"""Findings -> points: pure arithmetic in Fractions, rounded nowhere.

One mistake costs once: a criterion whose needs have not passed is BLOCKED, neither failed nor an
error, and so is one that rests on an earlier part's mistake. Points come only from an explicit
PASS. A BROKEN finding anywhere withholds the whole grade.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from grader.types import (
    Criterion,
    CriterionResult,
    Finding,
    Grade,
    Loaded,
    Note,
    Provenance,
    RawOutput,
    Rubric,
    Share,
    Status,
    Submission,
    Verdict,
)

NO_SHARES: Mapping[str, Share] = {}
WORST_FIRST = (Verdict.BROKEN, Verdict.ERROR, Verdict.FAIL, Verdict.BLOCKED, Verdict.PASS)


def score(
    rubric: Rubric,
    findings: Mapping[str, tuple[Finding, ...]],
    forbidden: Mapping[str, tuple[Finding, ...]],
    shares: Mapping[str, Share] = NO_SHARES,
) -> tuple[CriterionResult, ...]:
    """Every criterion with its verdict and points, in the rubric's order.

    Args:
        rubric: the criteria and their points.
        findings: what the checks saw, by criterion id.
        forbidden: uses of forbidden API, by entry; they cost the criteria of that entry.
        shares: what criteria earn, or wait for, although a check did not pass, by criterion id.
    """
    results: dict[str, CriterionResult] = {}
    for criterion in rubric.criteria:
        if criterion.manual:
            results[criterion.id] = _result(criterion, None, Fraction(0))
            continue
        blocking = [need for need in criterion.needs if results[need].verdict is not Verdict.PASS]
        used = forbidden.get(criterion.entry, ())
        if criterion.id in shares and not used:
            results[criterion.id] = _shared(criterion, shares[criterion.id], findings[criterion.id])
            continue
        results[criterion.id] = _judged(
            criterion, findings[criterion.id], used, blocking[0] if blocking else ""
        )
    return tuple(results.values())


def _judged(
    criterion: Criterion,
    findings: tuple[Finding, ...],
    used: tuple[Finding, ...],
    blocking: str,
) -> CriterionResult:
    verdict = worst(finding.verdict for finding in findings)
    if used and verdict is not Verdict.BROKEN:
        return _result(criterion, Verdict.FAIL, Fraction(0), used)
    if verdict is Verdict.BROKEN:
        return _result(criterion, verdict, Fraction(0), findings)
    if blocking:
        return _result(criterion, Verdict.BLOCKED, Fraction(0), findings, blocking)
    if criterion.credit == "proportional":
        cases = {finding.case for finding in findings}
        missed = {finding.case for finding in findings if finding.verdict is not Verdict.PASS}
        earned = criterion.points * Fraction(len(cases) - len(missed), len(cases) or 1)
        return _result(criterion, verdict, earned, findings)
    earned = criterion.points if verdict is Verdict.PASS else Fraction(0)
    return _result(criterion, verdict, earned, findings)


def _shared(criterion: Criterion, share: Share, findings: tuple[Finding, ...]) -> CriterionResult:
    if share.blocked_by:
        return _result(criterion, Verdict.BLOCKED, Fraction(0), findings, share.blocked_by)
    reason = Finding(
        check="diagnosis",
        case="",
        verdict=Verdict.PASS,
        code=share.code,
        facts=share.facts,
        hidden=False,
    )
    return _result(criterion, Verdict.PASS, criterion.points * share.fraction, (reason,))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; BROKEN of none, since nothing was looked at."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), Verdict.BROKEN)


def _result(
    criterion: Criterion,
    verdict: Verdict | None,
    earned: Fraction,
    findings: tuple[Finding, ...] = (),
    blocked_by: str = "",
) -> CriterionResult:
    return CriterionResult(
        id=criterion.id,
        title=criterion.title,
        verdict=verdict,
        points=criterion.points,
        earned=earned,
        findings=findings,
        blocked_by=blocked_by,
        read=criterion.read,
        bonus=criterion.bonus,
        entry=criterion.entry,
    )


def forbidden_uses(
    rubric: Rubric, loaded: Loaded, answers: Mapping[tuple[str, str], RawOutput]
) -> dict[str, tuple[Finding, ...]]:
    """Uses of forbidden API by entry: those in the source, else those seen while it ran."""
    found = {}
    for entry in rubric.entries:
        forbidden = (*rubric.forbidden.get("*", ()), *rubric.forbidden.get(entry, ()))
        cases = {case.id for case in rubric.cases if case.entry == entry}
        ran = {api for (case, _), out in answers.items() if case in cases for api in out.used}
        seen = tuple(_written(entry, forbidden, loaded)) or tuple(
            _forbidden("forbidden.ran", api=api) for api in forbidden if api in ran
        )
        if seen:
            found[entry] = seen
    return found


def _written(entry: str, forbidden: tuple[str, ...], loaded: Loaded) -> Iterator[Finding]:
    name = entry.partition(".")[0]
    reached = loaded.depends.get(name, (name,))
    for use in loaded.uses:
        if use.definition in reached and any(
            use.api == api or use.api.startswith(f"{api}.") for api in forbidden
        ):
            finding = _forbidden("forbidden.used", api=use.api, line=use.text)
            yield replace(finding, origin=use.origin)


def _forbidden(code: str, **facts: str) -> Finding:
    return Finding(
        check="forbidden", case="", verdict=Verdict.FAIL, code=code, facts=facts, hidden=False
    )


def forbidden_anywhere(rubric: Rubric) -> tuple[str, ...]:
    """API whose use is recorded while a submission runs."""
    return tuple(dict.fromkeys(api for listed in rubric.forbidden.values() for api in listed))


def totals(
    results: tuple[CriterionResult, ...],
) -> tuple[Status, Fraction | None, Fraction, Fraction]:
    """Status, points earned (None when withheld), possible so far, and still to be marked."""
    possible = sum(
        (r.points for r in results if r.verdict is not None and not r.bonus), Fraction(0)
    )
    pending = sum((r.points for r in results if r.verdict is None), Fraction(0))
    if any(result.verdict is Verdict.BROKEN for result in results):
        return Status.WITHHELD, None, possible, pending
    return Status.GRADED, sum((r.earned for r in results), Fraction(0)), possible, pending


def ungraded(
    submission: Submission, rubric: Rubric, status: Status, provenance: Provenance, *notes: Note
) -> Grade:
    """A grade in which no criterion was looked at: nothing earned, or nothing known."""
    return Grade(
        student=submission.student,
        assignment=submission.assignment,
        title=rubric.title,
        status=status,
        earned=Fraction(0) if status is Status.NOT_STARTED else None,
        possible=sum((c.points for c in rubric.criteria if not (c.bonus or c.manual)), Fraction(0)),
        pending=Fraction(0),
        notes=notes,
        provenance=provenance,
    )
