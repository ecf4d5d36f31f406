"""What came back where nothing known explains it, as a digest by which submissions are grouped.

Many that are wrong in the same way that nobody thought of point to the rubric, the hand-out, or a
misconception to add.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping

from grader.fingerprints import Fingerprint, Key, fingerprint
from grader.mistakes import Mistakes
from grader.types import (
    Diagnosis,
    Finding,
    Outcome,
    RawOutput,
    Rubric,
    Trial,
    Unexplained,
    Verdict,
)

STEP = 1e-5
"""Numbers of a fingerprint are cut into steps of this, of their norm where that is above 1:
coarse enough that rounding, about 1e-11 there, sets next to none of them apart."""

OFFSET = (math.sqrt(5) - 1) / 2
"""Where the steps begin, so that zero and halves do not lie on their edges."""

_VARYING = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)
"""Addresses and numbers in what an exception says."""


def unexplained(
    rubric: Rubric,
    trials: tuple[Trial, ...],
    answers: Mapping[Key, RawOutput],
    findings: Mapping[str, tuple[Finding, ...]],
    diagnoses: tuple[Diagnosis, ...],
    mistakes: Mistakes,
) -> tuple[Unexplained, ...]:
    """A digest for each failing entry that no known mistake explains.

    None for one that is not written, whose code never got to an end of its own, or that answers
    what the reference answers: what is wrong with it then, a check has named.

    Args: as of `diagnose`, and what that found.
    """
    named = {each.entry for each in diagnoses if each.kind != "located"}
    found = []
    for entry in rubric.entries:
        if entry in named or not failing(rubric, entry, findings):
            continue
        asked = [(t.case, t.variant) for t in trials if t.entry == entry and t.probe != "describe"]
        came = {key: answers[key] for key in sorted(asked) if key in answers}
        outcomes = {output.outcome for output in came.values()}
        ended = outcomes & {Outcome.OK, Outcome.RAISED} and Outcome.BROKEN not in outcomes
        if not ended or unwritten(came.values()):
            continue
        prints = {key: fingerprint(output) for key, output in came.items()}
        right = mistakes.right
        if right and all(prints[key].agrees(right[key]) for key in prints):
            continue
        found.append(_unexplained(entry, came, prints))
    return tuple(found)


def failing(rubric: Rubric, entry: str, findings: Mapping[str, tuple[Finding, ...]]) -> bool:
    """Whether a check of the entry found something wrong."""
    return any(
        finding.verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.BLOCKED)
        for criterion in rubric.criteria
        if criterion.entry == entry
        for finding in findings.get(criterion.id, ())
    )


def unwritten(came: Iterable[RawOutput]) -> bool:
    """Whether an entry is still as it was handed out."""
    return any(each.error is not None and each.error.type == "NotImplementedError" for each in came)


def _unexplained(
    entry: str, came: Mapping[Key, RawOutput], prints: Mapping[Key, Fingerprint]
) -> Unexplained:
    digest = hashlib.sha256()
    for key, output in came.items():
        told = (*key, *_in_common(output, prints[key]))
        digest.update("\t".join(told).encode("utf-8", "replace") + b"\n")
    raised = [output.error.type for output in came.values() if output.error is not None]
    return Unexplained(
        entry=entry,
        digest=digest.hexdigest()[:16],
        error=raised[0] if len(raised) == len(came) else "",
    )


def _in_common(output: RawOutput, shortened: Fingerprint) -> Iterator[str]:
    """What submissions that answer the same have in common, rounding aside."""
    yield shortened.form
    if output.error is not None:
        yield output.error.type
        yield _VARYING.sub("#", output.error.message)
    step = STEP * max((1.0, *shortened.numbers[-1:]))
    yield from (str(math.floor(number / step + OFFSET)) for number in shortened.numbers)
