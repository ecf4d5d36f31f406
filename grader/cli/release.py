"""`grader release`: what a student gets."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import course_secret, find_course, read_assignment
from grader.author import hand_out, stale, write
from grader.author import release as make_release
from grader.cli.options import FAILED, CourseOption
from grader.course import read_settings
from grader.errors import UsageError
from grader.packing import (
    MANIFEST,
    beside,
    code_files,
    fetched,
    outdated,
    packed,
    place,
    read_manifest,
    unpacked,
)
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner

command = typer.Typer(add_completion=False)


@command.command()
def release(
    assignment: Annotated[
        str | None, typer.Argument(help="Name of the assignment; of this folder's by default.")
    ] = None,
    course: CourseOption = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Write a student's folder here, or a .zip of it."),
    ] = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only say whether the files are fresh.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Refresh a student's folder, but never its code.")
    ] = False,
    source: Annotated[
        str | None, typer.Option("--from", help="With --update: a .zip or its address.")
    ] = None,
) -> None:
    """Build what a student gets: skeleton, notebook and public cases."""
    folder = to or Path.cwd()
    manifest = read_manifest(folder) if update else None
    if update and (source or (manifest is not None and assignment is None)):
        _say(_updated(folder, source or ("" if manifest is None else manifest.source)))
        return
    if assignment is None:
        raise UsageError(
            "expected the name of an assignment, got none; name it: grader release lstm, or, in "
            "a folder that was handed out: grader release --update"
        )
    root = find_course(Path.cwd(), course)
    zygote = warm_process()
    try:
        read = read_assignment(root, assignment)
        released = make_release(read, course_secret(root), Runner(zygote))
    finally:
        zygote.close()
    if only_check:
        old = stale(released, read.folder)
        if to is not None:
            old = outdated(hand_out(released, read, read_settings(root)), assignment, to)
        if old:
            again = f" --to {to} --update" if to is not None else ""
            _say(f"stale: {(to or read.folder) / name}" for name in old)
            _say([f"make them again with: grader release {assignment}{again}"])
            raise typer.Exit(FAILED)
    elif to is None:
        _say(write(released, read))
    else:
        files = hand_out(released, read, read_settings(root))
        _say(_handed_out(files, assignment, to, update))


def _handed_out(
    files: dict[str, bytes], assignment: str, to: Path, update: bool
) -> tuple[Path, ...]:
    """Writes a student's folder, or its zip with the manifest beside it."""
    if to.suffix == ".zip":
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(packed(files))
        manifest = Path(beside(str(to)))
        manifest.write_bytes(files[MANIFEST])
        return to, manifest
    for name in () if update else code_files(assignment):
        if (to / name).is_file() and (to / name).read_bytes() != files[name]:
            raise UsageError(
                f"expected a folder without work in it, got another {name} @ {to}; to refresh all "
                f"but the code: grader release {assignment} --to {to} --update"
            )
    return place(files, assignment, to)


def _updated(folder: Path, source: str) -> tuple[Path, ...]:
    """Refreshes a student's folder from where newer ones are."""
    if not source:
        raise UsageError(
            f"expected the address of a newer folder, got none @ {folder / MANIFEST}; "
            "name the zip that you were given: grader release --update --from FILE.zip",
            code="student.no_source",
            facts={"file": str(folder / MANIFEST)},
        )
    manifest, files = unpacked(fetched(source), source)
    mine = read_manifest(folder)
    if mine is not None and mine.assignment != manifest.assignment:
        raise UsageError(
            f"expected the folder of {mine.assignment}, got that of {manifest.assignment} @ "
            f"{source}",
            code="student.other_folder",
            facts={"expected": mine.assignment, "got": manifest.assignment, "where": source},
        )
    return place(files, manifest.assignment, folder)


def _say(lines: Iterable[object]) -> None:
    """One line for each, as it is."""
    for line in lines:
        Console().print(str(line), soft_wrap=True, markup=False, highlight=False)
