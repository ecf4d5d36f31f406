"""One mistake costs once: what becomes of a criterion of which not every check passed."""

from collections.abc import Mapping
from fractions import Fraction

from grader.mistakes import Mistakes
from grader.sandbox.stopwatch import stage
from grader.types import Criterion, Diagnosis, Finding, Rubric, Share, Verdict

UNEXPLAINED = frozenset({"parameters", "dtype"})
"""Checks of what no fingerprint holds."""

WRONG = frozenset({Verdict.FAIL, Verdict.ERROR})


@stage("diagnose", whole=True)
def shares(
    rubric: Rubric,
    findings: Mapping[str, tuple[Finding, ...]],
    diagnoses: tuple[Diagnosis, ...],
    mistakes: Mistakes,
) -> dict[str, Share]:
    """Shares by criterion id.

    An entry that equals the reference with an earlier entry's mistake applied earns its points, if
    each mistake of its own would still have been noticed; else nothing can be said of it before
    the earlier one is mended, and it is blocked. A variant earns what the rubric says.
    Relations and gradients that hold for values which are wrong in a named way earn theirs.
    """
    by_entry = {each.entry: each for each in diagnoses}
    blocking = {
        each.entry: _first_wrong(rubric, findings, diagnoses, each)
        for each in diagnoses
        if each.kind == "carried"
    }
    found = {}
    for criterion in rubric.criteria:
        diagnosis = by_entry.get(criterion.entry)
        seen = findings.get(criterion.id, ())
        if diagnosis is None or not seen or all(each.verdict is Verdict.PASS for each in seen):
            continue
        if any(_unexplained(each) for each in seen):
            continue
        first = blocking.get(criterion.entry, "")
        share = _share(rubric, criterion, findings, diagnosis, mistakes, first)
        if share is not None:
            found[criterion.id] = share
    return found


def _unexplained(finding: Finding) -> bool:
    broken = finding.verdict is Verdict.BROKEN
    return broken or (finding.check in UNEXPLAINED and finding.verdict is not Verdict.PASS)


def _share(
    rubric: Rubric,
    criterion: Criterion,
    findings: Mapping[str, tuple[Finding, ...]],
    diagnosis: Diagnosis,
    mistakes: Mistakes,
    first: str,
) -> Share | None:
    facts = {"entry": diagnosis.entry}
    if diagnosis.kind == "carried":
        seen = _came_back(rubric, findings, diagnosis.entry)
        if seen and all(mistakes.noticed(ids, diagnosis.entry) for ids in diagnosis.alternatives):
            return Share(fraction=Fraction(1), code="diagnosis.carried", facts=facts)
        code = "diagnosis.from_before"
        zero = Fraction(0)
        return Share(fraction=zero, code=code, facts=facts, blocked_by=first) if first else None
    if diagnosis.kind == "variant":
        ((name,),) = diagnosis.alternatives
        variant = next(each for each in rubric.variants if each.id == name)
        fraction = variant.earns.get(criterion.id)
        if fraction is None:
            return None
        return Share(fraction=fraction, code="diagnosis.variant", facts=facts)
    if diagnosis.kind == "mistake" and _holds(findings[criterion.id]):
        return Share(fraction=Fraction(1), code="diagnosis.held", facts=facts)
    return None


def _came_back(rubric: Rubric, findings: Mapping[str, tuple[Finding, ...]], entry: str) -> bool:
    """Whether an entry answered anything: what only raises shows nothing of its own."""
    return any(
        each.verdict in (Verdict.PASS, Verdict.FAIL) and each.check not in UNEXPLAINED
        for criterion in rubric.criteria
        if criterion.entry == entry
        for each in findings.get(criterion.id, ())
    )


def _first_wrong(
    rubric: Rubric,
    findings: Mapping[str, tuple[Finding, ...]],
    diagnoses: tuple[Diagnosis, ...],
    carried: Diagnosis,
) -> str:
    """The first criterion that fails by the mistake which is carried on, in an entry that makes it;
    empty where none does."""
    names = {name for ids in carried.alternatives for name in ids}
    made = {
        each.entry
        for each in diagnoses
        if each.kind == "mistake" and any(names.issuperset(ids) for ids in each.alternatives)
    }
    wrong = (
        criterion.id
        for criterion in rubric.criteria
        if criterion.entry in made
        and any(each.verdict in WRONG for each in findings.get(criterion.id, ()))
    )
    return next(wrong, "")


def _holds(seen: tuple[Finding, ...]) -> bool:
    """Whether nothing but the values is wrong: the relation holds, the gradient is their own."""
    waiting = [each for each in seen if each.verdict is not Verdict.PASS]
    own = any(each.code == "gradient.own_forward" for each in waiting)
    return all(
        each.verdict is Verdict.BLOCKED
        and (each.facts.get("held") or (own and each.check == "gradient"))
        for each in waiting
    )
