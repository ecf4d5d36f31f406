"""The instructor's room: a folder of submissions becomes marks, reports and a class page.

What each submission showed is in the gradebook as soon as it is there, so that an interrupted run
goes on where it stopped, and nothing is run twice. Only this process writes to it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from grader.adapters import adaptation, find_adapter, read_adapter
from grader.assignment import Assignment, course_secret, read_assignment
from grader.collect import Found
from grader.course import read_settings
from grader.errors import UsageError
from grader.executors import Executor
from grader.expected import Standard, from_reference
from grader.files import write_whole
from grader.fingerprints import SCHEME, FingerprintFile, cache_folder
from grader.gradebook import Entry, Gradebook, GradeRow, as_kept, bare
from grader.keys import Basis, basis, digest_of, submission_digest
from grader.mistakes import FromReference, PatchedReference
from grader.pipeline import Desk, observe
from grader.profile import Profile
from grader.provenance import provenance
from grader.reports.classroom import class_html, folders, for_class, grades_csv, grades_json
from grader.reports.student import report_html, report_json
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.sandbox.stopwatch import stage
from grader.score import graded
from grader.similarity import alike as find_alike
from grader.standing import Pages, final, outcome_of, read_pages
from grader.types import Alike, Grade, Observation, Status, Submission

KEPT_ON = "what was graded before is kept, so make room and run the same command again"


class Marker:
    """Grades submissions of one assignment of a course; what is costly waits until it is needed."""

    def __init__(
        self,
        course: Path,
        name: str,
        runner: Runner,
        secret: str = "",
        adapter: Path | None = None,
    ):
        """Of an assignment, as an adapter has it: the one named, or the course's own for it."""
        read = read_assignment(course, name)
        path = find_adapter(course, adapter, name)
        written = read_adapter(path, name) if path else None
        self.adapter = adaptation(read.rubric, read.reference.content.decode("utf-8"), written)
        skeleton = b"" if written else read.skeleton
        rubric = self.adapter.rubric(read.rubric)
        self.assignment: Assignment = replace(read, rubric=rubric, skeleton=skeleton)
        self.policy = read_settings(course).policy(name)
        self._secret = secret or course_secret(course)
        self._runner = runner
        self.profile: Profile | None = None
        """What notes where the time of each submission goes, if anything does."""

    @property
    def trains(self) -> bool:
        """Whether the assignment uses an optimiser."""
        return b"torch.optim" in self.assignment.reference.content

    @property
    def hides(self) -> bool:
        """Whether it has cases that a student must not see."""
        return any(case.show != "public" for case in self.assignment.rubric.cases)

    @property
    def _level(self) -> str:
        return self._runner.isolation().level

    @cached_property
    def standard(self) -> Standard:
        """What the reference answers."""
        return from_reference(self.assignment, self._runner.run, self._secret, self.adapter)

    @cached_property
    def mistakes(self) -> FromReference:
        """What known mistakes answer: run when the first wrong submission asks."""
        assignment = self.assignment
        source = assignment.reference.content.decode("utf-8")
        rests_on = digest_of(SCHEME, self.basis.observed)
        patched = PatchedReference(
            assignment.rubric,
            source,
            self.standard.trials,
            self.adapter.narrowing(self._runner.run),
            self.adapter.wrappers,
        )
        kept = cache_folder() / f"{assignment.name}-{rests_on[:32]}.json"
        return FromReference(patched, FingerprintFile(kept))

    @cached_property
    def basis(self) -> Basis:
        """What every mark rests on, but for the submission."""
        return basis(self.assignment, self._level, self._secret, self.policy, self.adapter.digest)

    def prepare(self) -> None:
        """Makes what every submission needs, once, so that a fault in it ends the command."""
        self.mistakes  # noqa: B018 - made by being asked for

    @property
    def work(self) -> Callable[[Submission], Observation]:
        """What an executor is given."""
        return self.observe

    def key(self, submission: Submission) -> str:
        """Content key of what a submission shows."""
        return self.basis.run_key(submission_digest(submission))

    def observe(self, submission: Submission) -> Observation:
        """What one submission shows."""
        desk = Desk(
            standard=self.standard,
            skeleton=self.assignment.skeleton,
            open=self._runner.open,
            mistakes=self.mistakes,
            adapter=self.adapter,
        )
        with self.profile.submission(submission.student) if self.profile else nullcontext():
            return observe(submission, desk, provenance(self.key(submission), self._level))

    def worth(self, seen: Observation, student: str) -> Grade:
        """The grade of a student whose submission showed that."""
        return graded(seen, self.assignment.rubric, student)

    def mark(self, submission: Submission) -> Grade:
        """The grade of one submission."""
        return self.worth(self.observe(submission), submission.student)

    def entry(
        self,
        submission: Submission,
        digest: str,
        seen: Observation,
        *,
        new: bool = False,
        handed_in: bool = True,
    ) -> Entry:
        """What the gradebook holds of a submission."""
        grade = self.worth(seen, submission.student)
        row = GradeRow(
            student=submission.student,
            submission=digest,
            run_key=self.basis.run_key(digest),
            score_key=self.basis.score_key(digest),
            basis=self.basis.key,
            status=grade.status,
            earned=grade.earned,
            possible=grade.possible,
            pending=grade.pending,
            criteria=bare(grade.criteria),
        )
        # Our fault is tried again next time.
        kept = seen if new and grade.status is not Status.WITHHELD else None
        parts = self.basis.parts
        return Entry(submission=submission, row=row, parts=parts, seen=kept, handed_in=handed_in)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """What grading a class gave."""

    grades: tuple[Grade, ...]
    """One for each submission that was reached, by name, as `for_class` leaves it."""
    reused: int
    """How many were known from an earlier run."""
    missing: int
    """How many were not reached before an interrupt."""
    page: Path
    """The class page."""


def grade_class(
    marker: Marker,
    found: Found,
    out: Path,
    executor: Executor,
    book: Gradebook,
    *,
    fresh: bool = False,
    language: str = "en",
    progress: Callable[[Grade], None] = lambda grade: None,
) -> ClassResult:
    """Grades every submission and writes the results; an interrupt ends it with what there is.

    Args:
        marker: grades one submission.
        found: the submissions.
        out: folder of the results.
        executor: runs the marker on them.
        book: where grades are kept.
        fresh: grade even what is known already.
        language: "en" or "ko".
        progress: called with every grade, known or new.

    Raises:
        UsageError: the folder can't be written to.
        EngineError: the disk is full, the gradebook fails, or the reference can't be run.
    """
    prepare(out)
    by_name = folders(submission.student for submission in found.submissions)
    grades: dict[str, Grade] = {}
    reused = 0
    pages = read_pages(book, marker.assignment.name)
    try:
        for entry, seen in recorded(marker, found.submissions, executor, book, pages, fresh=fresh):
            grade = reported(marker, seen, entry.submission.student, pages)
            grades[grade.student] = for_class(grade)
            reused += entry.seen is None and grade.status is not Status.WITHHELD
            write_student(out / by_name[grade.student], grade, language)
            progress(grade)
    except KeyboardInterrupt:
        pass
    ordered = tuple(grades[name] for name in sorted(grades, key=str.casefold))
    page = write_class(out, ordered, language, near_identical(marker, found, grades))
    missing = len(found.submissions) - len(ordered)
    return ClassResult(grades=ordered, reused=reused, missing=missing, page=page)


def recorded(
    marker: Marker,
    submissions: Sequence[Submission],
    executor: Executor,
    book: Gradebook,
    pages: Pages,
    *,
    fresh: bool = False,
    handed_in: bool = True,
    dry_run: bool = False,
) -> Iterator[tuple[Entry, Observation]]:
    """Each submission once it is in the gradebook: first what is known, then what has to be run.

    Args:
        marker: observes one submission.
        submissions: what was handed in.
        executor: runs the marker.
        book: where it is written.
        pages: what the gradebook holds, which is kept up to date.
        fresh: run even what is known.
        handed_in: whether they are handed in now; not where earlier attempts are graded again.
        dry_run: write nothing.
    """
    name = marker.assignment.name
    digests = [submission_digest(each) for each in submissions]
    keys = [marker.basis.run_key(digest) for digest in digests]
    known = {} if fresh else book.observations(book.observed(name).intersection(keys))
    every = list(zip(submissions, digests, keys, strict=True))
    there = [
        (marker.entry(each, digest, known[key], handed_in=handed_in), known[key])
        for each, digest, key in every
        if key in known
    ]
    if not dry_run:
        book.record(name, [entry for entry, _ in there])
    for entry, seen in there:
        pages.add(entry)
        yield entry, seen
    waiting = {id(each): digest for each, digest, key in every if key not in known}
    if waiting:
        marker.prepare()
    to_run = [each for each in submissions if id(each) in waiting]
    for submission, observed in executor.map(marker.work, to_run):
        seen = as_kept(observed)
        digest = waiting[id(submission)]
        entry = marker.entry(submission, digest, seen, new=True, handed_in=handed_in)
        if not dry_run:
            book.record(name, [entry], again=fresh)
        pages.add(entry)
        yield entry, seen


def reported(marker: Marker, seen: Observation, student: str, pages: Pages) -> Grade:
    """The grade of what a student handed in last, as it is reported."""
    grade = marker.worth(seen, student)
    told = outcome_of(pages, student, marker.policy)
    return final(grade, told, pages.marks.get(student, {})) if told else grade


def _written_in(language: str, report: Path) -> bool:
    """Whether a report is there in a language."""
    try:
        with report.open(encoding="utf-8") as page:
            return f'<html lang="{language}"' in page.read(500)
    except OSError:
        return False


def prepare(out: Path) -> None:
    """Makes the folder of the results, and sees that it can be written to before anything is run.

    Raises:
        UsageError: it can't.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written to, got {error.strerror} @ {out}; "
            "name another with --out DIR"
        ) from error


@stage("report")
def write_student(folder: Path, grade: Grade, language: str) -> None:
    """What a student may see: `report.html` and `grade.json`; not again what is there already."""
    view = student_view(grade)
    told, path = report_json(view), folder / "grade.json"
    if not (_written_in(language, folder / "report.html") and _holds(path, told)):
        _write(folder / "report.html", report_html(view, language))
        _write(path, told)


@stage("class page")
def near_identical(
    marker: Marker, found: Found, grades: Mapping[str, Grade]
) -> tuple[Alike, ...] | None:
    """Groups of submissions with nearly the same code; None where nothing here can compare it."""
    graded = {name: grade.file for name, grade in grades.items() if grade.file}
    files = {
        submission.student: file
        for submission in found.submissions
        for file in submission.files
        if file.name == graded.get(submission.student)
    }
    return find_alike(files, [content for content in (marker.assignment.skeleton,) if content])


@stage("class page")
def write_class(
    out: Path, grades: tuple[Grade, ...], language: str, alike: Sequence[Alike] | None = None
) -> Path:
    """What the instructor sees: `index.html`, `grades.csv` and `grades.json`."""
    page = out / "index.html"
    _write(page, class_html(grades, language, alike))
    # The mark at the front makes spreadsheet programs read Hangul as what it is.
    _write(out / "grades.csv", "\ufeff" + grades_csv(grades))
    _write(out / "grades.json", grades_json(grades))
    return page


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    write_whole(path, text.encode("utf-8"), KEPT_ON)
