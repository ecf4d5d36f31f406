"""Findings -> points: pure arithmetic in Fractions, rounded nowhere.

One mistake costs once: a criterion whose needs have not passed is BLOCKED, neither failed nor an
error, and so is one that rests on an earlier part's mistake. Points come only from an explicit
PASS. A BROKEN finding anywhere withholds the whole grade.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from grader.errors import SubmissionError
from grader.types import (
    Criterion,
    CriterionResult,
    Diagnosis,
    Finding,
    Grade,
    Loaded,
    Note,
    Observation,
    Provenance,
    RawOutput,
    Rubric,
    Share,
    Status,
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
    gone = {void.case for void in rubric.void if void.case}
    for criterion in counting(rubric):
        if criterion.manual:
            results[criterion.id] = _result(criterion, None, Fraction(0))
            continue
        seen = tuple(each for each in findings[criterion.id] if each.case not in gone)
        failing = [
            need
            for need in criterion.needs
            if need in results and results[need].verdict is not Verdict.PASS
        ]
        used = forbidden.get(criterion.entry, ())
        whole = seen == findings[criterion.id] or worst(e.verdict for e in seen) != Verdict.PASS
        if criterion.id in shares and whole and not used:
            results[criterion.id] = _shared(criterion, shares[criterion.id], seen)
            continue
        results[criterion.id] = _judged(criterion, seen, used, failing[0] if failing else "")
    return tuple(results.values())


def counting(rubric: Rubric) -> tuple[Criterion, ...]:
    """The criteria that count: not taken out, nor left without a case by what was."""
    cases = {void.case for void in rubric.void if void.case}
    criteria = {void.criterion for void in rubric.void if void.criterion}
    return tuple(
        criterion
        for criterion in rubric.criteria
        if criterion.id not in criteria
        and (criterion.manual or any(c.id not in cases for c in rubric.cases_over(criterion)))
    )


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


def graded(seen: Observation, rubric: Rubric, student: str) -> Grade:
    """The grade that follows from what was seen: points and words are the rubric's of today."""
    results: tuple[CriterionResult, ...] = ()
    status, pending = seen.status, Fraction(0)
    automatic = (c.points for c in counting(rubric) if not (c.bonus or c.manual))
    earned = Fraction(0) if status is Status.NOT_STARTED else None
    possible = sum(automatic, Fraction(0))
    if status is Status.GRADED:
        results = score(rubric, seen.findings, seen.forbidden, seen.shares)
        status, earned, possible, pending = totals(results)
    return Grade(
        student=student,
        assignment=rubric.assignment,
        title=rubric.title,
        status=status,
        earned=earned,
        possible=possible,
        pending=pending,
        criteria=results,
        diagnoses=tuple(
            worded(each, rubric) if each.named else each for each in _lasting(seen, results)
        ),
        unexplained=seen.unexplained,
        notes=(*seen.notes, *_taken_out(rubric)),
        file=seen.file,
        show_hints=rubric.show_hints,
        provenance=seen.provenance,
    )


def unread(error: SubmissionError, provenance: Provenance) -> Observation:
    """What is known of a submission that could not be read."""
    note = Note(code=error.code, facts=error.facts)
    return Observation(status=Status.UNREADABLE, provenance=provenance, notes=(note,))


def worded(diagnosis: Diagnosis, rubric: Rubric) -> Diagnosis:
    """A diagnosis of known mistakes with the rubric's words for what it names."""
    known = {each.id: each for each in rubric.misconceptions}
    named = [known[name] for name in diagnosis.named if name in known]
    notes = [each.note for each in rubric.variants if each.id in diagnosis.named]
    anchors = [c.read for c in rubric.criteria if c.entry == diagnosis.entry and c.read]
    return replace(
        diagnosis,
        symptoms=(*(each.symptom for each in named), *notes),
        hints=tuple(each.hint for each in named),
        read=anchors[0] if anchors else "",
    )


def _lasting(seen: Observation, results: tuple[CriterionResult, ...]) -> Iterator[Diagnosis]:
    """The diagnoses but for entries in which, without what was taken out, nothing is wrong."""
    wrong = {
        result.entry
        for result in results
        if any(finding.verdict is not Verdict.PASS for finding in result.findings)
        or any(finding.check == "diagnosis" for finding in result.findings)
    }
    yield from (each for each in seen.diagnoses if each.entry in wrong)


def _taken_out(rubric: Rubric) -> Iterator[Note]:
    for void in rubric.void:
        what = next((each.title for each in rubric.criteria if each.id == void.criterion), None)
        reason = {"en": void.reason.en, "ko": void.reason.ko}
        if what is not None:
            title = {"en": what.en, "ko": what.ko}
            yield Note(code="void.criterion", facts={"title": title, "because": reason})
        elif any(each.id == void.case and each.show == "public" for each in rubric.cases):
            yield Note(code="void.case", facts={"case": void.case, "because": reason})
        else:
            yield Note(code="void.hidden", facts={"because": reason})
