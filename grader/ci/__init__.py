"""CI's room: what is stale is graded, and whose mark moved is said, from what to what and why.

What a mark rests on is compared by key; only what differs is looked at, and only what has not been
observed under its run key is run.

    changes   what a Git revision has changed    telling   moves -> table, JSON, Markdown, lines
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction

from grader.executors import Executor
from grader.gradebook import Gradebook, MarkRow
from grader.instructor import Marker, recorded
from grader.keys import changed, submission_digest
from grader.policy import POLICY, Outcome, Policy
from grader.standing import Pages, marked, orphans, outcome_of, read_pages, standing_from
from grader.types import CriterionResult, Rubric, Standing, Status, Submission, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionMove:
    """A criterion that came out otherwise."""

    id: str
    """Id of the criterion."""
    before: CriterionResult | None
    """How it came out; None where it was not there."""
    after: CriterionResult | None
    """How it comes out; None where it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A mark that moved."""

    student: str
    """Name of the student."""
    before: Standing | None
    """Where the student stood; None where there was no mark yet."""
    after: Standing
    """Where the student stands."""
    why: tuple[str, ...]
    """What changed: "submission", or names of parts that marks rest on."""
    criteria: tuple[CriterionMove, ...]
    """Which criteria came out otherwise."""
    submission: Submission | None = None
    """What was handed in, where it is at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regraded:
    """What grading again has shown."""

    assignment: str
    """Name of the assignment."""
    moves: tuple[Move, ...]
    """Whose mark moved, by name."""
    standings: tuple[Standing, ...]
    """Where everybody stands who was looked at."""
    ran: int
    """How many submissions were run."""
    rescored: int
    """How many were marked anew from what had been seen."""
    unchanged: int
    """How many rest on what they rested on before."""
    orphans: tuple[MarkRow, ...]
    """Marks by hand that are about nothing which is graded now."""
    criteria: Mapping[str, tuple[CriterionResult, ...]]
    """How the criteria come out, by student."""
    rubric: Rubric
    """The assignment's."""


def regrade(
    marker: Marker,
    handed: Sequence[Submission],
    book: Gradebook,
    executor: Executor,
    *,
    only: frozenset[str] | None = None,
    dry_run: bool = False,
) -> Regraded:
    """Grades what is stale: of what is handed in now, and of every attempt that may count.

    Args:
        marker: grades one submission.
        handed: what is handed in now; for everybody else what the gradebook holds is graded.
        book: where grades are kept.
        executor: runs the marker.
        only: names of the students to look at; None for all.
        dry_run: write nothing.

    Raises:
        EngineError: the gradebook fails, or the reference can't be run.
    """
    name = marker.assignment.name
    before = read_pages(book, name)
    after = before.copied()
    looked_at = {*before.attempts, *(each.student for each in handed)} if only is None else only
    new, old = _to_grade(marker, handed, before, book, looked_at)
    observed = book.observed(name)
    ran = 0
    for group, handed_in in ((old, False), (new, True)):
        for entry, _ in recorded(
            marker, group, executor, book, after, handed_in=handed_in, dry_run=dry_run
        ):
            ran += entry.row.run_key not in observed
    parts = book.parts({row.basis for row in before.rows.values()})
    parts[marker.basis.key] = dict(marker.basis.parts)
    at_hand = {each.student: each for each in handed}
    listed = {each.student for each in (*old, *new)}
    outcomes = {
        student: told
        for student in sorted(looked_at, key=str.casefold)
        if (told := outcome_of(after, student, marker.policy)) is not None
    }
    moves = [
        replace(move, submission=at_hand.get(student))
        for student, told in outcomes.items()
        if student in listed  # what nothing has changed for has not moved
        and (move := _move(student, told, before, after, parts, marker.policy)) is not None
    ]
    return Regraded(
        assignment=name,
        moves=tuple(moves),
        standings=tuple(standing_from(*each) for each in outcomes.items()),
        ran=ran,
        rescored=len(old) + len(new) - ran,
        unchanged=len(looked_at) - len(listed),
        orphans=orphans(after),
        criteria={each: _criteria(after, each, told) for each, told in outcomes.items()},
        rubric=marker.assignment.rubric,
    )


def _to_grade(
    marker: Marker,
    handed: Sequence[Submission],
    pages: Pages,
    book: Gradebook,
    looked_at: Set[str],
) -> tuple[list[Submission], list[Submission]]:
    """What is stale: of what is handed in now, and of what the gradebook holds besides."""
    known = [(each, submission_digest(each)) for each in handed]
    new = [
        each
        for each, digest in known
        if each.student in looked_at
        and (_is_new(pages, each, digest) or _stale(marker, pages, each.student, digest))
    ]
    there = {(each.student, digest) for each, digest in known}
    return new, _earlier(marker, pages, book, looked_at, there)


def _is_new(pages: Pages, handed: Submission, digest: str) -> bool:
    """Whether a submission is not the last one that the gradebook knows of."""
    own = pages.attempts.get(handed.student)
    return not own or own[-1].submission != digest


def _stale(marker: Marker, pages: Pages, student: str, digest: str) -> bool:
    """Whether a submission has no grade on today's basis."""
    row = pages.rows.get((student, digest))
    withheld = row is not None and row.status is Status.WITHHELD
    return row is None or withheld or row.score_key != marker.basis.score_key(digest)


def _earlier(
    marker: Marker,
    pages: Pages,
    book: Gradebook,
    looked_at: Set[str],
    handed: Set[tuple[str, str]],
) -> list[Submission]:
    """What the gradebook holds and is stale: the last attempt, or all where any may count."""
    wanted = [
        (student, each)
        for student in sorted(looked_at)
        for own in [pages.attempts.get(student, [])]
        for each in (own[-1:] if marker.policy.attempts == "latest" else own)
        if (student, each.submission) not in handed
        and _stale(marker, pages, student, each.submission)
    ]
    files = book.files({each.submission for _, each in wanted})
    return [
        Submission(
            student=student,
            assignment=marker.assignment.name,
            path=each.path,
            files=files[each.submission],
            submitted_at=each.submitted_at,
        )
        for student, each in wanted
    ]


def _move(
    student: str,
    now: Outcome,
    before: Pages,
    after: Pages,
    parts: Mapping[str, Mapping[str, str]],
    policy: Policy,
) -> Move | None:
    was = outcome_of(before, student, _policy_then(student, before, parts) or policy)
    standing = standing_from(student, now)
    then = None if was is None else standing_from(student, was)
    if then is not None and _told(then) == _told(standing):
        return None
    old_row = before.rows[student, was.attempt.submission] if was else None
    new_row = after.rows[student, now.attempt.submission]
    why = changed(parts.get(old_row.basis, {}), parts[new_row.basis]) if old_row else ()
    if old_row is None or old_row.submission != new_row.submission:
        known = (student, new_row.submission) in before.rows
        why = ("attempt" if known else "submission", *why)
    pairs = _criteria(before, student, was), _criteria(after, student, now)
    return Move(
        student=student, before=then, after=standing, why=why, criteria=_criterion_moves(*pairs)
    )


def _told(standing: Standing) -> tuple[Status, Fraction | None, Fraction, Fraction]:
    return standing.status, standing.earned, standing.possible, standing.pending


def _policy_then(
    student: str, pages: Pages, parts: Mapping[str, Mapping[str, str]]
) -> Policy | None:
    """The policy under which a student's last grade was written."""
    own = pages.attempts.get(student)
    row = pages.rows.get((student, own[-1].submission)) if own else None
    told = parts.get(row.basis, {}).get("policy") if row else None
    return POLICY.validate_json(told) if told else None


def _criteria(pages: Pages, student: str, told: Outcome | None) -> tuple[CriterionResult, ...]:
    if told is None:
        return ()
    row = pages.rows[student, told.attempt.submission]
    return marked(row.criteria, pages.marks.get(student, {}))


def _criterion_moves(
    before: tuple[CriterionResult, ...], after: tuple[CriterionResult, ...]
) -> tuple[CriterionMove, ...]:
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    return tuple(
        CriterionMove(id=name, before=old.get(name), after=new.get(name))
        for name in {**new, **old}
        if _came_out(old.get(name)) != _came_out(new.get(name))
    )


def _came_out(result: CriterionResult | None) -> tuple[Verdict | None, Fraction, Fraction] | None:
    return None if result is None else (result.verdict, result.earned, result.points)
