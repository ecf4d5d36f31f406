"""What a Git revision has changed in a course: all of an assignment, or some submissions of it."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from grader.errors import UsageError
from grader.types import Submission


def changed_files(course: Path, revision: str) -> tuple[str, ...]:
    """Files of a course that differ from a revision, as paths from its folder.

    Raises:
        UsageError: it is no Git repository, there is no such revision, or the clone is shallow.
    """
    if revision.startswith("-"):
        raise UsageError(f"expected a Git revision after --since, got {revision!r}")
    listed = _git(course, "diff", "--name-only", "-z", "--relative", f"{revision}^{{commit}}", "--")
    if listed is None:
        shallow = _git(course, "rev-parse", "--is-shallow-repository")
        if shallow is None:
            raise UsageError(f"expected a Git repository for --since, got none @ {course}")
        if shallow.strip() == "true":
            raise UsageError(
                f"expected the revision {revision!r}, got a shallow clone without it @ {course}; "
                "check out with fetch-depth: 0"
            )
        raise UsageError(f"expected a Git revision after --since, got {revision!r} @ {course}")
    untracked = _git(course, "ls-files", "--others", "--exclude-standard", "-z") or ""
    return tuple(name for name in (listed + untracked).split("\0") if name)


def touched(
    course: Path, files: Iterable[str], assignment: str, submissions: Iterable[Submission]
) -> frozenset[str] | None:
    """The students whose submissions are among changed files; None where everybody is concerned."""
    files = tuple(files)
    everybody = (f"reference/{assignment}.py", f"rubrics/{assignment}.yaml", "course.yaml")
    if any(name in everybody or name.startswith(f"assignments/{assignment}/") for name in files):
        return None
    changed = {(course / name).resolve() for name in files}
    return frozenset(
        each.student
        for each in submissions
        for place in [Path(each.path).resolve()]
        if any(file == place or file.is_relative_to(place) for file in changed)
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """What a command of Git's prints; None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False, timeout=60
        )
    except FileNotFoundError as error:
        raise UsageError("expected Git for --since, found none; install it") from error
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
