"""The zip that Gradescope runs for every hand-in: engine, one assignment, pinned packages.

Gradescope unpacks it to /autograder/source, runs `setup.sh` once while it builds the image and
`run_autograder` for each hand-in, and takes /autograder/results/results.json. It holds the
reference, the rubric and the secret that hidden inputs are drawn from, so it is for instructors.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

import grader
from grader.errors import UsageError

PACKAGE = "sequence-grader"
EXTRAS = ("", "instructor")
"""What of it grading needs, beside the plain package."""
SUFFIXES = (".py", ".yaml", ".html", ".css", ".js", ".svg", ".json")
"""Files of the engine."""
MOST_BYTES = 100_000_000
EXECUTABLE, PLAIN = 0o755, 0o644
DATED = (1980, 1, 1, 0, 0, 0)
"""Date of every entry, so that the same course makes the same zip."""

SETUP = """#!/usr/bin/env bash
# Run once, when the image is built: Python and the packages, in the versions they were tried with.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
if ! command -v python3.11 >/dev/null; then
	apt-get update -qq
	apt-get install -y -qq python3.11 python3.11-venv
fi
python3.11 -m venv "$root/venv"
# PyPI's torch for Linux brings gigabytes of CUDA; this index has the one for CPUs.
export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-https://download.pytorch.org/whl/cpu}"
"$root/venv/bin/pip" install --quiet --disable-pip-version-check -r "$root/source/requirements.txt"
"""

RUN = """#!/usr/bin/env bash
# Run for each hand-in. A mark that is withheld ends this without results.json: Gradescope then says
# that the autograder failed, and gives no zero.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
python="${AUTOGRADER_PYTHON:-$root/venv/bin/python}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/class"
cp -r "$root/submission" "$work/class/submission"
cd "$root/source/course"
export PYTHONPATH="$root/source" PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME="$root/cache"
export GRADER_GRADEBOOK="$work/gradebook.db"
"$python" -m grader grade ASSIGNMENT "$work/class" --out "$work/results" --lang LANGUAGE -j 1OPTIONS
"$python" -m grader export gradescope ASSIGNMENT --results "$work/results" --student submission \\
	--out "$root/results/results.json" --lang LANGUAGE --hidden HIDDEN
"""


def autograder_zip(
    course: Path,
    assignment: str,
    *,
    secret: str = "",
    language: str = "en",
    hidden: str = "after_due_date",
    unisolated: bool = False,
) -> bytes:
    """The zip, the same for the same course, engine and packages.

    Args:
        course: the course.
        assignment: name of the assignment.
        secret: what hidden inputs are drawn from; "" where it is the default one.
        language: "en" or "ko".
        hidden: when students see what rests on hidden cases.
        unisolated: whether hidden cases may be run where submissions can't be shut in.

    Raises:
        UsageError: the assignment is not released, or its files are too large.
    """
    if not re.fullmatch(r"\w[\w.-]*", assignment):
        raise UsageError(
            f"expected a name of letters, digits, '_', '-' and '.', got {assignment!r}"
        )
    run = (
        RUN.replace("ASSIGNMENT", assignment)
        .replace("LANGUAGE", language)
        .replace("HIDDEN", hidden)
        .replace("OPTIONS", " --allow-unisolated" if unisolated else "")
    )
    entries = {
        "setup.sh": (SETUP.encode(), EXECUTABLE),
        "run_autograder": (run.encode(), EXECUTABLE),
        "requirements.txt": ("\n".join((*pinned(), "")).encode(), PLAIN),
        **{name: (content, PLAIN) for name, content in (*_engine(), *_course(course, assignment))},
    }
    if secret:
        entries["course/.grader-secret"] = (secret.encode(), 0o600)
    if sum(len(content) for content, _ in entries.values()) > MOST_BYTES:
        raise UsageError(f"expected an assignment of at most {MOST_BYTES} bytes, got more")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in sorted(entries.items()):
            info = zipfile.ZipInfo(name, DATED)
            info.create_system = 3
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _engine() -> Iterator[tuple[str, bytes]]:
    folder = Path(grader.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts:
            yield f"grader/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _course(course: Path, assignment: str) -> Iterator[tuple[str, bytes]]:
    if not (course / "assignments" / assignment).is_dir():
        raise UsageError(
            f"expected a released assignment, got none @ {course}; run: grader release {assignment}"
        )
    files = [
        course / "reference" / f"{assignment}.py",
        course / "rubrics" / f"{assignment}.yaml",
        *sorted(path for path in (course / "assignments" / assignment).iterdir()),
    ]
    for path in files:
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield f"course/{path.relative_to(course).as_posix()}", path.read_bytes()


def pinned() -> tuple[str, ...]:
    """The packages that the engine needs, each in the version that is installed here.

    Raises:
        UsageError: the engine is not installed as a package.
    """
    found: dict[str, str] = {}
    waiting = [PACKAGE]
    try:
        while waiting:
            for text in requires(waiting.pop()) or ():
                need = Requirement(text)
                name = re.sub(r"[-_.]+", "-", need.name).lower()
                if name in found or not _needed(need):
                    continue
                found[name] = f"{name}=={version(name).partition('+')[0]}"
                waiting.append(name)
    except PackageNotFoundError as error:
        raise UsageError(
            f"expected {PACKAGE} and what it needs to be installed, got no {error.name}; install "
            "it with pip and run this again"
        ) from error
    return tuple(found[name] for name in sorted(found))


def _needed(need: Requirement) -> bool:
    """Whether grading needs it, in this Python on this system."""
    marker = need.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in EXTRAS)
