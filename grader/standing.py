"""Where students stand: grades of the gradebook, marks by hand and the course's policy together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from grader.gradebook import AttemptRow, Entry, Gradebook, GradeRow, MarkRow
from grader.policy import Attempt, Outcome, Override, Policy, outcome
from grader.reports.messages import say
from grader.score import totals
from grader.types import CriterionResult, Finding, Grade, Standing, Status, Verdict

WHOLE = ""
"""In the place of a criterion: the whole mark."""


@dataclass(slots=True)
class Pages:
    """What the gradebook holds of one assignment, read once and kept up to date by its writer."""

    attempts: dict[str, list[AttemptRow]]
    """What each student has handed in, in that order."""
    rows: dict[tuple[str, str], GradeRow]
    """The last grade of each submission, by student and digest."""
    marks: dict[str, dict[str, MarkRow]]
    """What people have decided and not taken back, by student and criterion."""

    @property
    def students(self) -> tuple[str, ...]:
        """Everybody who has handed something in, by name."""
        return tuple(sorted(self.attempts, key=str.casefold))

    def copied(self) -> "Pages":
        """The same, to be changed without changing these."""
        attempts = {student: list(own) for student, own in self.attempts.items()}
        return Pages(attempts=attempts, rows=dict(self.rows), marks=dict(self.marks))

    def add(self, entry: Entry) -> None:
        """Adds what has been written for a submission."""
        row, handed = entry.row, entry.submission
        own = self.attempts.setdefault(row.student, [])
        self.rows[row.student, row.submission] = row
        if not entry.handed_in:
            return
        if not own or own[-1].submission != row.submission:
            own.append(
                AttemptRow(
                    student=row.student,
                    submission=row.submission,
                    submitted_at=handed.submitted_at,
                    seen_at=datetime.now(UTC),
                    path=handed.path,
                )
            )
        elif handed.submitted_at is not None:
            own[-1] = replace(own[-1], submitted_at=handed.submitted_at)


def read_pages(book: Gradebook, assignment: str) -> Pages:
    """What a gradebook holds of one assignment.

    Raises:
        EngineError: it can't be read.
    """
    attempts: dict[str, list[AttemptRow]] = {}
    for each in book.attempts(assignment):
        own = attempts.setdefault(each.student, [])
        # The same files once more, with another time: only the time is news.
        if own and own[-1].submission == each.submission:
            own.pop()
        own.append(each)
    return Pages(
        attempts=attempts, rows=book.latest(assignment), marks=in_force(book.marks(assignment))
    )


def in_force(marks: Iterable[MarkRow]) -> dict[str, dict[str, MarkRow]]:
    """The last mark of each criterion, without those that were taken back."""
    found: dict[str, dict[str, MarkRow]] = {}
    for mark in marks:
        own = found.setdefault(mark.student, {})
        own.pop(mark.criterion, None)
        if mark.points is not None:
            own[mark.criterion] = mark
    return found


def standings(pages: Pages, policy: Policy) -> tuple[Standing, ...]:
    """Where everybody stands who has handed something in, by name.

    Points are exact; whoever writes them rounds them once (`reports.legible.points_text`). It is
    what the last `grade` or `regrade` has left, with every mark by hand and with the dates and late
    policy of today.

    Args:
        pages: what the gradebook holds of an assignment.
        policy: `read_settings(course).policy(assignment)`.
    """
    return tuple(
        standing
        for student in pages.students
        if (standing := standing_of(pages, student, policy)) is not None
    )


def standing_of(pages: Pages, student: str, policy: Policy) -> Standing | None:
    """Where one student stands; None where nothing of theirs has been graded."""
    told = outcome_of(pages, student, policy)
    return None if told is None else standing_from(student, told)


def standing_from(student: str, told: Outcome) -> Standing:
    """Where a student stands by what the policy makes of the attempts."""
    return Standing(
        student=student,
        status=told.attempt.status,
        earned=told.earned,
        possible=told.attempt.possible,
        pending=told.attempt.pending,
        note=" ".join(say(note.code, note.facts, "en") for note in told.notes),
        submitted_at=told.attempt.submitted_at,
    )


def outcome_of(pages: Pages, student: str, policy: Policy) -> Outcome | None:
    """What the policy makes of what a student has handed in."""
    marks = pages.marks.get(student, {})
    attempts = [
        attempt(row, handed, marks)
        for handed in pages.attempts.get(student, ())
        if (row := pages.rows.get((student, handed.submission))) is not None
    ]
    whole = marks.get(WHOLE)
    override = None
    if whole is not None and whole.points is not None:
        override = Override(points=whole.points, why=whole.why)
    return outcome(student, attempts, policy, override) if attempts else None


def attempt(row: GradeRow, handed: AttemptRow, marks: Mapping[str, MarkRow]) -> Attempt:
    """A graded submission with the marks by hand, as the policy looks at it."""
    status, earned, possible, pending = row.status, row.earned, row.possible, row.pending
    results = marked(row.criteria, marks)
    if row.status is Status.GRADED:
        status, earned, possible, pending = totals(results)
    return Attempt(
        submission=row.submission,
        submitted_at=handed.submitted_at,
        status=status,
        earned=earned,
        extra=sum((each.earned for each in results if each.bonus), Fraction(0)),
        possible=possible,
        pending=pending,
    )


def marked(
    results: Sequence[CriterionResult], marks: Mapping[str, MarkRow]
) -> tuple[CriterionResult, ...]:
    """Criteria with what people have decided; a criterion that is broken stays so."""
    return tuple(
        _by_hand(result, marks[result.id])
        if result.id in marks and result.verdict is not Verdict.BROKEN
        else result
        for result in results
    )


def _by_hand(result: CriterionResult, mark: MarkRow) -> CriterionResult:
    points = mark.points if mark.points is not None else Fraction(0)
    verdict = Verdict.PASS if points >= result.points else Verdict.FAIL
    finding = Finding(
        check="hand",
        case="",
        verdict=verdict,
        code="byhand.marked" if result.verdict is None else "byhand.overridden",
        facts={"earned": float(points), "points": float(result.points), "why": mark.why},
        hidden=False,
    )
    return replace(result, verdict=verdict, earned=points, findings=(finding,), blocked_by="")


def orphans(pages: Pages) -> tuple[MarkRow, ...]:
    """Marks by hand that are about nothing which is graded now: they count nowhere."""
    known: dict[str, set[str]] = {}
    for (student, _), row in pages.rows.items():
        known.setdefault(student, set()).update(result.id for result in row.criteria)
    return tuple(
        mark
        for student, own in pages.marks.items()
        for criterion, mark in own.items()
        if criterion != WHOLE and criterion not in known.get(student, set())
    )


def final(grade: Grade, told: Outcome, marks: Mapping[str, MarkRow]) -> Grade:
    """A grade as it is reported: with marks by hand, and what the policy makes of it."""
    results = marked(grade.criteria, marks)
    _, _, possible, pending = totals(results) if results else (0, 0, grade.possible, grade.pending)
    return replace(
        grade,
        earned=told.earned,
        possible=possible,
        pending=pending,
        criteria=results,
        notes=(*grade.notes, *told.notes),
    )
