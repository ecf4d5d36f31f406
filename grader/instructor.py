"""The instructor's room: a folder of submissions becomes marks, reports and a class page.

Each grade is kept under its content key as soon as it is there, so that an interrupted run goes on
where it stopped, and nothing is run twice.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grader.adapters import adaptation, find_adapter, read_adapter
from grader.assignment import Assignment, course_secret, read_assignment
from grader.collect import Found
from grader.errors import EngineError, UsageError
from grader.executors import Executor
from grader.expected import Standard, from_reference
from grader.fingerprints import SCHEME, FingerprintFile
from grader.mistakes import FromReference
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.reports.classroom import class_html, folders, grades_csv, grades_json
from grader.reports.student import report_html, report_json
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.types import Grade, Status, Submission

GRADE: TypeAdapter[Grade] = TypeAdapter(Grade)
KEPT = ".grades"
"""Folder, within the results, of what has been graded; holds hidden evidence, so it is private."""


class Marker:
    """Grades submissions of one assignment of a course; what is costly waits until it is needed."""

    def __init__(self, course: Path, name: str, runner: Runner, adapter: Path | None = None):
        """Of an assignment, as an adapter has it: the one named, or that with the course's name
        for the assignment.
        """
        read = read_assignment(course, name)
        path = find_adapter(course, adapter, name)
        written = read_adapter(path, name) if path else None
        source = read.reference.content.decode("utf-8")
        self.adapter = adaptation(read.rubric, source, written)
        self.assignment: Assignment = replace(read, rubric=self.adapter.rubric(read.rubric))
        self._skeleton = b"" if written else read.skeleton
        self._secret = course_secret(course)
        self._runner = runner

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
        digest = hashlib.sha256("\n".join((SCHEME, *self._rests_on)).encode()).hexdigest()
        return FromReference(
            assignment.rubric,
            source,
            self.standard.trials,
            self.adapter.narrowing(self._runner.run),
            FingerprintFile(cache_folder() / f"{assignment.name}-{digest[:32]}.json"),
            self.adapter.wrappers,
        )

    @property
    def _rests_on(self) -> tuple[str, ...]:
        """What decides what the reference answers, and so every mark."""
        here = provenance("", self._level)
        versions = (here.engine, here.torch, here.numpy, here.isolation, self._secret)
        adapter = self.adapter.written.digest if self.adapter.written else ""
        return (*versions, self.assignment.digest, self._skeleton.hex(), adapter)

    def key(self, submission: Submission) -> str:
        """Content key of everything that decides the mark of a submission."""
        digest = hashlib.sha256()
        for text in self._rests_on:
            digest.update(f"{len(text)}:{text}".encode())
        for file in submission.files:
            digest.update(f"{len(file.name)}:{file.name}:{len(file.content)}:".encode())
            digest.update(file.content)
        return digest.hexdigest()

    def mark(self, submission: Submission) -> Grade:
        """The grade of one submission."""
        desk = Desk(
            standard=self.standard,
            skeleton=self._skeleton,
            open=self._runner.open,
            mistakes=self.mistakes,
            adapter=self.adapter,
        )
        return grade(submission, desk, provenance(self.key(submission), self._level))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """What grading a class gave."""

    grades: tuple[Grade, ...]
    """One for each submission that was reached, by name."""
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
        fresh: grade even what is known already.
        language: "en" or "ko".
        progress: called with every grade, known or new.

    Raises:
        UsageError: the folder can't be written to.
        EngineError: the disk is full, or the reference can't be run.
    """
    prepare(out)
    by_name = folders(submission.student for submission in found.submissions)
    grades: dict[str, Grade] = {}
    waiting = []
    for submission in found.submissions:
        known = None if fresh else _known(out, submission, marker)
        if known is None:
            waiting.append(submission)
            continue
        grades[submission.student] = known
        if not _written_in(language, out / by_name[submission.student] / "report.html"):
            write_student(out / by_name[submission.student], known, language)
        progress(known)
    reused = len(grades)
    if waiting:
        marker.mistakes  # noqa: B018 - made here, once, so that a fault in it ends the command
    results = executor.map(marker.mark, waiting)
    try:
        for _, graded in results:
            grades[graded.student] = graded
            _keep(out, graded)
            write_student(out / by_name[graded.student], graded, language)
            progress(graded)
    except KeyboardInterrupt:
        pass
    ordered = tuple(grades[name] for name in sorted(grades, key=str.casefold))
    page = write_class(out, ordered, language)
    missing = len(found.submissions) - len(ordered)
    return ClassResult(grades=ordered, reused=reused, missing=missing, page=page)


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
        kept = out / KEPT
        kept.mkdir(parents=True, exist_ok=True)
        kept.chmod(0o700)
        probe = kept / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written to, got {error.strerror} @ {out}; "
            "name another with --out DIR"
        ) from error


def write_student(folder: Path, grade: Grade, language: str) -> None:
    """What a student may see: `report.html` and `grade.json`."""
    view = student_view(grade)
    _write(folder / "report.html", report_html(view, language))
    _write(folder / "grade.json", report_json(view))


def write_class(out: Path, grades: tuple[Grade, ...], language: str) -> Path:
    """What the instructor sees: `index.html`, `grades.csv` and `grades.json`."""
    page = out / "index.html"
    _write(page, class_html(grades, language))
    # The mark at the front makes spreadsheet programs read Hangul as what it is.
    _write(out / "grades.csv", "\ufeff" + grades_csv(grades))
    _write(out / "grades.json", grades_json(grades))
    return page


def cache_folder() -> Path:
    """Where fingerprints are kept from one run to the next, for this user alone."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sequence-grader"


def _known(out: Path, submission: Submission, marker: Marker) -> Grade | None:
    """The grade under the submission's content key, under the name it has now."""
    path = out / KEPT / f"{marker.key(submission)}.json"
    try:
        known = GRADE.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return replace(known, student=submission.student)


def _keep(out: Path, grade: Grade) -> None:
    """Keeps a grade, unless it was withheld: our fault is tried again next time."""
    if grade.provenance is not None and grade.status is not Status.WITHHELD:
        _write(out / KEPT / f"{grade.provenance.key}.json", GRADE.dump_json(grade).decode())


def _write(path: Path, text: str) -> None:
    """A whole file or none."""
    with _said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"expected to write {path}, got: {error.strerror}; what was graded before is kept, so "
            "make room and run the same command again"
        ) from error
