"""The student's room: public cases and relations on one's own file, hints, no reference."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from grader.assignment import PARTS, find_course
from grader.collect import SUFFIXES, collect
from grader.errors import UsageError
from grader.expected import Bundle, from_bundle, top_level
from grader.load import changed_files
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Grade, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found."""

    grade: Grade
    """The grade of the public part."""
    passed: bool
    """Whether everything public passed."""


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
    if file is not None and not file.exists():
        raise UsageError(f"expected a file to check, got nothing at {file}")
    bundle = from_bundle(bundle_folder(file or start, assignment, start, course))
    name = bundle.standard.rubric.assignment
    submission = _submission(file, start, name, bundle)
    desk = Desk(
        standard=bundle.standard,
        skeleton=bundle.skeleton,
        open=runner.open,
        mistakes=bundle.mistakes,
    )
    graded = grade(submission, desk, provenance("", runner.isolation().level))
    rest = Fraction(bundle.points) - graded.possible
    graded = replace(graded, pending=rest if graded.earned is not None else Fraction(0))
    # What is extra makes up for nothing that is asked for.
    asked_for = sum(result.earned for result in graded.criteria if not result.bonus)
    passed = graded.earned is not None and asked_for == graded.possible
    return Checked(grade=graded, passed=passed)


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
            "folder that you were given, or name it: grader check FOLDER/FILE"
        ) from None
    name = assignment or (start.stem if start.is_file() else folder.name)
    released = course / PARTS[0] / name
    if not (released / "public.json").is_file():
        raise UsageError(
            f"expected the public cases of {name!r} in {released}, found none; name the assignment "
            "with --assignment, or make them with: grader release " + name
        )
    return released


def _course(folder: Path, working: Path, named: Path | None) -> Path:
    try:
        return find_course(folder, named)
    except UsageError:
        return find_course(working, named)


def _submission(file: Path | None, start: Path, name: str, bundle: Bundle) -> Submission:
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
            "name your file: grader check FILE"
        )
    (submission,) = collect([folder], name).submissions
    if len(files) > 1:
        changed = changed_files(submission, top_level(bundle.standard.rubric), bundle.skeleton)
        if len(changed) > 1:
            both = " and ".join(changed)
            raise UsageError(
                f"expected one file with your work, got two: {both} were both changed; say which "
                f"one you mean: grader check {folder / changed[0]}"
            )
    return submission
