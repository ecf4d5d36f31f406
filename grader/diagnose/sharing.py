"""One mistake costs once: what a criterion earns although a check of it did not pass."""

from collections.abc import Mapping
from fractions import Fraction

from grader.mistakes import Mistakes
from grader.types import Diagnosis, Finding, Rubric, Share, Verdict

UNEXPLAINED = frozenset({"parameters", "dtype"})
"""Checks of what no fingerprint holds."""


def shares(
    rubric: Rubric,
    findings: Mapping[str, tuple[Finding, ...]],
    diagnoses: tuple[Diagnosis, ...],
    mistakes: Mistakes,
) -> dict[str, Share]:
    """Shares by criterion id.

    An entry that equals the reference with an earlier entry's mistake applied earns its points, if
    each mistake of its own would still have been noticed. A variant earns what the rubric says.
    Relations and gradients that hold for values which are wrong in a named way earn theirs.
    """
    by_entry = {each.entry: each for each in diagnoses}
    found = {}
    for criterion in rubric.criteria:
        diagnosis = by_entry.get(criterion.entry)
        seen = findings.get(criterion.id, ())
        if diagnosis is None or not seen or all(each.verdict is Verdict.PASS for each in seen):
            continue
        if any(_unexplained(each) for each in seen):
            continue
        share = _share(rubric, criterion.id, seen, diagnosis, mistakes)
        if share is not None:
            found[criterion.id] = share
    return found


def _unexplained(finding: Finding) -> bool:
    broken = finding.verdict is Verdict.BROKEN
    return broken or (finding.check in UNEXPLAINED and finding.verdict is not Verdict.PASS)


def _share(
    rubric: Rubric,
    criterion: str,
    seen: tuple[Finding, ...],
    diagnosis: Diagnosis,
    mistakes: Mistakes,
) -> Share | None:
    facts = {"entry": diagnosis.entry}
    if diagnosis.kind == "carried":
        noticed = all(mistakes.noticed(ids, diagnosis.entry) for ids in diagnosis.alternatives)
        return (
            Share(fraction=Fraction(1), code="diagnosis.carried", facts=facts) if noticed else None
        )
    if diagnosis.kind == "variant":
        ((name,),) = diagnosis.alternatives
        variant = next(each for each in rubric.variants if each.id == name)
        fraction = variant.earns.get(criterion)
        if fraction is None:
            return None
        return Share(fraction=fraction, code="diagnosis.variant", facts=facts)
    if diagnosis.kind == "mistake" and _holds(seen):
        return Share(fraction=Fraction(1), code="diagnosis.held", facts=facts)
    return None


def _holds(seen: tuple[Finding, ...]) -> bool:
    """Whether nothing but the values is wrong: the relation holds, the gradient is their own."""
    waiting = [each for each in seen if each.verdict is not Verdict.PASS]
    own = any(each.code == "gradient.own_forward" for each in waiting)
    return all(
        each.verdict is Verdict.BLOCKED
        and (each.facts.get("held") or (own and each.check == "gradient"))
        for each in waiting
    )
