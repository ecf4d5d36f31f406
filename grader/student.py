"""The student's room: public cases and relations on one's own file, hints, no reference."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from threading import Thread

from grader.assignment import PARTS, find_course
from grader.collect import SUFFIXES, collect
from grader.errors import UsageError
from grader.expected import Bundle, from_bundle, top_level
from grader.load import changed_files
from grader.packing import folder_files, newest, read_manifest, version
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Grade, Note, Optimizer, Submission, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """The public part of an assignment, ready to check work against."""

    folder: Path
    """Where it stands."""
    bundle: Bundle
    """What it holds."""
    newer: list[Note] = field(default_factory=list)
    """That the course hands out another version by now; comes as soon as it is known."""

    @property
    def name(self) -> str:
        """Name of the assignment."""
        return self.bundle.standard.rubric.assignment

    @property
    def asked(self) -> Mapping[str, Trial]:
        """What is asked in each public case, the plain trial."""
        return {case: each.base for case, each in self.bundle.standard.settings.items()}

    @property
    def trains(self) -> bool:
        """Whether a case asks for an optimiser."""
        calls = [call for trial in self.asked.values() for call in trial.calls]
        given = any(isinstance(arg, Optimizer) for call in calls for arg in call.args.values())
        return given or b"optim" in self.bundle.skeleton


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found."""

    grade: Grade
    """The grade of the public part."""
    passed: bool
    """Whether everything public passed."""
    asked: Mapping[str, Trial]
    """What was asked in each public case."""


def check(
    file: Path | None,
    assignment: str | None,
    start: Path,
    runner: Runner,
    course: Path | None = None,
) -> Checked:
    """Checks a file, or what is in a folder, against the public cases.

    Args:
        file: the file, or None to look in `start`.
        assignment: name of the assignment, where the folder does not say it.
        start: the folder to look in.
        runner: runs the trials.
        course: the course, where it is not above the file or `start`.

    Raises:
        UsageError: no public cases, no file, or two files of which both were changed.
        CourseError: the public cases can't be read.
    """
    public = public_part(file, assignment, start, course)
    return check_work(work_in(file, start, public), public, runner)


def public_part(
    file: Path | None, assignment: str | None, start: Path, course: Path | None = None
) -> Public:
    """The public part that goes with a file or a folder.

    Raises:
        UsageError: no file, or no public cases.
        CourseError: they can't be read.
    """
    if file is not None and not file.exists():
        raise UsageError(
            f"expected a file to check, got nothing at {file}",
            code="student.nothing_at",
            facts={"path": str(file)},
        )
    folder = bundle_folder(file or start, assignment, start, course)
    public = Public(folder=folder, bundle=from_bundle(folder))
    Thread(target=look_for_newer, args=(public, start), daemon=True).start()
    return public


def stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever code in a file's folder is saved."""
    folder = path if path.is_dir() else path.parent
    found = []
    for each in sorted(folder.iterdir()):
        if each.suffix in SUFFIXES:
            try:
                told = each.stat()
            except OSError:  # an editor is replacing it
                continue
            found.append((each.name, told.st_mtime_ns, told.st_size))
    return tuple(found)


def check_work(submission: Submission, public: Public, runner: Runner) -> Checked:
    """Checks what was handed in."""
    bundle = public.bundle
    desk = Desk(
        standard=bundle.standard,
        skeleton=bundle.skeleton,
        open=runner.open,
        mistakes=bundle.mistakes,
    )
    graded = grade(submission, desk, provenance("", runner.isolation().level))
    rest = Fraction(bundle.points) - graded.possible
    graded = replace(
        graded,
        pending=rest if graded.earned is not None else Fraction(0),
        notes=(*public.newer, *graded.notes),
    )
    # What is extra makes up for nothing that is asked for.
    asked_for = sum(result.earned for result in graded.criteria if not result.bonus)
    passed = graded.earned is not None and asked_for == graded.possible
    return Checked(grade=graded, passed=passed, asked=public.asked)


def look_for_newer(public: Public, start: Path) -> None:
    """Notes that the course hands out another version, where a course or its address is known."""
    mine = read_manifest(public.folder)
    if mine is None or mine.assignment != public.name:
        return
    try:
        handed_out = _course(public.folder, start, None) / PARTS[0] / public.name
        theirs = version(folder_files(handed_out), public.name)
    except (UsageError, OSError):
        theirs = newest(mine)
    if theirs and theirs != mine.version:
        facts = {"mine": mine.version, "theirs": theirs}
        public.newer.append(Note(code="student.older", facts=facts))


def bundle_folder(
    start: Path, assignment: str | None, working: Path, named: Path | None = None
) -> Path:
    """The folder that holds the public cases: where the file is, or of a course.

    The course is the one named, the one above the file, or the one above the working folder.

    Raises:
        UsageError: there is none.
    """
    folder = (start if start.is_dir() else start.parent).resolve()
    if assignment is None and named is None and (folder / "public.json").is_file():
        return folder
    try:
        course = _course(folder, working, named)
    except UsageError:
        if named is not None:
            raise
        raise UsageError(
            f"expected the public cases (public.json) in {folder}, found none; run this in the "
            "folder that you were given, or name it: grader check FOLDER/FILE",
            code="student.no_cases",
            facts={"folder": str(folder)},
        ) from None
    name = assignment or (start.stem if start.is_file() else folder.name)
    released = course / PARTS[0] / name
    if not (released / "public.json").is_file():
        raise UsageError(
            f"expected the public cases of {name!r} in {released}, found none; name the assignment "
            f"with --assignment, or make them with: grader release {name}",
            code="student.no_cases_of",
            facts={"name": name, "folder": str(released)},
        )
    return released


def _course(folder: Path, working: Path, named: Path | None) -> Path:
    try:
        return find_course(folder, named)
    except UsageError:
        return find_course(working, named)


def work_in(file: Path | None, start: Path, public: Public) -> Submission:
    """A file, or the one of a folder that was worked on, as it is handed in.

    Raises:
        UsageError: there is none, or there are two of which both were changed.
    """
    name, bundle = public.name, public.bundle
    if file is not None and file.is_file():
        (submission,) = collect([file], name).submissions
        return submission
    folder = file or start
    files = [
        folder / f"{name}{suffix}" for suffix in SUFFIXES if (folder / f"{name}{suffix}").exists()
    ]
    if not files:
        raise UsageError(
            f"expected {name}.py or {name}.ipynb in {folder.resolve()}, found neither; "
            "name your file: grader check FILE",
            code="student.no_file",
            facts={"name": name, "folder": str(folder.resolve())},
        )
    (submission,) = collect([folder], name).submissions
    if len(files) > 1:
        changed = changed_files(submission, top_level(bundle.standard.rubric), bundle.skeleton)
        if len(changed) > 1:
            both = " and ".join(changed)
            raise UsageError(
                f"expected one file with your work, got two: {both} were both changed; say which "
                f"one you mean: grader check {folder / changed[0]}",
                code="student.two_files",
                facts={"first": changed[0], "second": changed[1], "path": str(folder / changed[0])},
            )
    return submission
