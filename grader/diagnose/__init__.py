"""Which mistake was made? What came back is compared with what known mistakes answer.

A misconception is asserted for an entry only if it agrees with all that came back for it, and is
told from the reference there. Entries are looked at in the rubric's order, so that what an earlier
one has got wrong explains a later one that uses it.
"""

from collections.abc import Callable, Iterable, Mapping

from grader.diagnose.localise import localise
from grader.diagnose.sharing import shares
from grader.diagnose.unexplained import failing, unexplained, unwritten
from grader.fingerprints import Fingerprint, Key, fingerprints
from grader.mistakes import Ids, Mistakes
from grader.sandbox.stopwatch import stage
from grader.score import worded
from grader.types import (
    Diagnosis,
    Finding,
    Outcome,
    RawOutput,
    Rubric,
    Setting,
    Trial,
)

__all__ = ["diagnose", "shares", "unexplained"]

Own = dict[Key, Fingerprint]


@stage("diagnose", whole=True)
def diagnose(
    rubric: Rubric,
    settings: Mapping[str, Setting],
    trials: tuple[Trial, ...],
    answers: Mapping[Key, RawOutput],
    findings: Mapping[str, tuple[Finding, ...]],
    mistakes: Mistakes,
) -> tuple[Diagnosis, ...]:
    """What is probably wrong, entry by entry; nothing for entries whose criteria all pass.

    Args:
        rubric: criteria and misconceptions.
        settings: every case made ready, by id.
        trials: what was asked.
        answers: what came back.
        findings: what the checks found, by criterion id.
        mistakes: what known mistakes answer.
    """
    found: list[Diagnosis] = []
    passed: set[Key] = set()
    unexplained: set[Key] = set()
    every = _Later(lambda: fingerprints(answers, _compared(trials)))
    for entry in rubric.entries:
        asked = tuple(trial for trial in _compared(trials) if trial.entry == entry)
        if not failing(rubric, entry, findings):
            passed |= {(trial.case, trial.variant) for trial in asked}
            continue
        came = [answers[t.case, t.variant] for t in asked if (t.case, t.variant) in answers]
        outcomes = {output.outcome for output in came}
        carried = [ids for each in found if each.kind == "mistake" for ids in each.alternatives]
        if Outcome.BROKEN in outcomes or (Outcome.OK not in outcomes and unwritten(came)):
            continue
        own = fingerprints(answers, asked)
        right = mistakes.right
        if right and all(own[key].agrees(right[key]) for key in own):
            continue
        if Outcome.OK not in outcomes:
            # All that raise everywhere look alike, so only what is known to be wrong is told.
            if right and (ids := _fewest(_explaining(carried, own, mistakes))):
                found.append(_diagnosis(rubric, entry, "carried", ids))
            continue
        named = None
        if right:
            named = _named(rubric, entry, own, every, carried, passed, unexplained, mistakes)
        if named is None:
            unexplained |= own.keys()
            named = _told_by_curve(rubric, findings, localise(entry, asked, settings, answers))
        if named is not None:
            found.append(named)
    return tuple(found)


def _told_by_curve(
    rubric: Rubric, findings: Mapping[str, tuple[Finding, ...]], located: Diagnosis | None
) -> Diagnosis | None:
    """What is located, unless it only repeats from which step on a curve differs."""
    if located is None or located.code != "locate.along":
        return located
    about = (criterion.id for criterion in rubric.criteria if criterion.entry == located.entry)
    said = any(f.code == "curve.mismatch" for name in about for f in findings.get(name, ()))
    return None if said else located


def _compared(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    return tuple(trial for trial in trials if trial.probe != "describe")


class _Later:
    """Fingerprints that are made when they are first asked for."""

    def __init__(self, make: Callable[[], Own]):
        self._make, self._made = make, Own()

    def __call__(self) -> Own:
        self._made = self._made or self._make()
        return self._made


def _named(
    rubric: Rubric,
    entry: str,
    own: Own,
    every: Callable[[], Own],
    carried: list[Ids],
    passed: set[Key],
    unexplained: set[Key],
    mistakes: Mistakes,
) -> Diagnosis | None:
    """The first of these that explains everything: what an earlier entry got wrong, one known
    mistake or variant, two of them (of earlier entries or not), neither of which shows in an
    earlier entry that passed or that nothing explains."""
    if ids := _fewest(_explaining(carried, own, mistakes)):
        return _diagnosis(rubric, entry, "carried", ids)
    single: list[Ids] = [(name,) for name in mistakes.ids]
    if ids := _closest(_explaining(single, own, mistakes), every, mistakes):
        variants = {each.id for each in rubric.variants}
        if chosen := [each for each in ids if each[0] in variants]:
            return _diagnosis(rubric, entry, "variant", chosen[:1])
        return _diagnosis(rubric, entry, "mistake", ids)
    untouched = {
        key for key in passed if key in every() and every()[key].agrees(mistakes.right[key])
    }
    known = [name for ids in carried for name in ids]
    pairs = mistakes.pairs(entry, own, known, untouched | unexplained)
    if ids := _closest(_explaining(pairs, own, mistakes), every, mistakes):
        told = {name for each in carried for name in each if all(name in pair for pair in ids)}
        kind = "carried" if all(told.issuperset(pair) for pair in ids) else "mistake"
        return _diagnosis(rubric, entry, kind, ids, told)
    return None


def _explaining(candidates: Iterable[Ids], own: Own, mistakes: Mistakes) -> list[Ids]:
    """Those that agree with every answer, and differ from the reference in one."""
    right = mistakes.right
    explaining = []
    for ids in candidates:
        prints = mistakes.prints(ids)
        if (
            prints is not None
            and all(own[key].agrees(prints[key]) for key in own)
            and any(not prints[key].agrees(right[key]) for key in own)
        ):
            explaining.append(ids)
    return explaining


def _fewest(candidates: list[Ids]) -> list[Ids]:
    """Without those to which another is added that is not needed."""
    return [ids for ids in candidates if not any(set(other) < set(ids) for other in candidates)]


def _closest(candidates: list[Ids], every: Callable[[], Own], mistakes: Mistakes) -> list[Ids]:
    """Of what explains an entry, that which contradicts least of what other entries answered."""
    if len(candidates) < 2:
        return candidates
    contradicted = {
        ids: sum(not each.agrees(prints[key]) for key, each in every().items())
        for ids in candidates
        if (prints := mistakes.prints(ids)) is not None
    }
    least = min(contradicted.values())
    return [ids for ids in candidates if contradicted.get(ids) == least]


def _diagnosis(
    rubric: Rubric, entry: str, kind: str, alternatives: list[Ids], told: Iterable[str] = ()
) -> Diagnosis:
    """With the words of what is named and not told already; of twins the first one's."""
    kept: list[Ids] = []
    for ids in alternatives:
        twins = {twin for other in kept for name in other for twin in (name, *_twins(rubric, name))}
        if not set(ids) <= twins:
            kept.append(ids)
    names = dict.fromkeys(name for ids in kept for name in ids if name not in told)
    plain = Diagnosis(
        entry=entry,
        kind=kind,  # type: ignore[arg-type]
        alternatives=tuple(kept),
        named=tuple(names),
    )
    return worded(plain, rubric)


def _twins(rubric: Rubric, name: str) -> tuple[str, ...]:
    return next((each.twins for each in rubric.misconceptions if each.id == name), ())
