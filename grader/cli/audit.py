"""`grader audit`: whether every known mistake is caught, told apart and named."""

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import (
    Assignment,
    assignment_names,
    course_secret,
    find_course,
    read_assignment,
)
from grader.audit import Audit
from grader.audit import audit as look_at
from grader.audit.kept import KeptAudits, audit_key, read_audits
from grader.audit.pages import audit_html, audit_json, audit_markdown
from grader.cli.options import FAILED, CourseOption, JsonOption
from grader.errors import EngineError
from grader.fingerprints import cache_folder
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner

command = typer.Typer(add_completion=False)

Work = tuple[Assignment, tuple[Path, ...]]
"""An assignment, and right implementations of it."""


@command.command()
def audit(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; all if none.")] = None,
    course: CourseOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for pages, JSON and Markdown.")] = None,
    right: Annotated[
        Path | None, typer.Option(help="Right implementations: a folder for each assignment.")
    ] = None,
    workers: Annotated[
        int, typer.Option("-j", "--workers", min=1, max=64, help="Assignments at a time.")
    ] = os.cpu_count() or 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Look again at what is known.")] = False,
    as_json: JsonOption = False,
) -> None:
    """See whether every known mistake is caught, told apart and named."""
    root = find_course(Path.cwd(), course)
    rights = right or root / "tests" / "independent"
    secret, kept = course_secret(root), KeptAudits(cache_folder())
    names = assignments or list(assignment_names(root))
    work: dict[str, Work] = {}
    known: dict[str, Audit | None] = {}
    for name in names:
        files = tuple(sorted([*(rights / name).glob("*.py"), *(rights / name).glob("*.ipynb")]))
        work[name] = read_assignment(root, name), files
        known[name] = None if fresh else kept.get(audit_key(work[name][0], secret, files))
    waiting = {name: work[name] for name in names if known[name] is None}
    shares = _shares(waiting, workers)
    if len(shares) > 1:
        options = ["--course", str(root), "--right", str(rights), *["--fresh"] * fresh]
        new = _in_processes(shares, options)
    else:
        new = _here(waiting, secret, kept)
    audits = [found for name in names if (found := known[name] or new[name])]
    _tell(audits, out, as_json=as_json)
    if any(found.problems for found in audits):
        raise typer.Exit(FAILED)


def _here(waiting: Mapping[str, Work], secret: str, kept: KeptAudits) -> dict[str, Audit]:
    """Audits made in this process, each kept."""
    new = {}
    zygote = warm_process()
    try:
        for name, (assignment, files) in waiting.items():
            new[name] = look_at(assignment, secret, Runner(zygote), files)
            kept.put(audit_key(assignment, secret, files), new[name])
    finally:
        zygote.close()
    return new


def _shares(waiting: Mapping[str, Work], count: int) -> list[list[str]]:
    """The names in about equal shares of work, the largest first."""
    weights = {name: _weight(assignment) for name, (assignment, _) in waiting.items()}
    shares: list[list[str]] = [[] for _ in range(min(count, len(waiting)))]
    for name in sorted(weights, key=lambda name: -weights[name]):
        min(shares, key=lambda share: sum(weights[each] for each in share)).append(name)
    return shares


def _weight(assignment: Assignment) -> int:
    """About how long it takes: each patch is asked some of the cases."""
    return len(assignment.rubric.patches) * len(assignment.rubric.cases)


def _in_processes(shares: list[list[str]], options: list[str]) -> dict[str, Audit]:
    """Audits made by processes of their own: what compares uses one processor each."""

    def made(share: list[str]) -> tuple[Audit, ...]:
        call = [sys.executable, "-m", "grader", "audit", *share, *options, "-j", "1", "--json"]
        told = subprocess.run(call, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        if told.returncode not in (0, FAILED):
            raise EngineError(
                f"expected an audit of {', '.join(share)}, got exit code {told.returncode}; what "
                f"it said stands above; try: grader audit {share[0]}"
            )
        return read_audits(told.stdout)

    with ThreadPoolExecutor(len(shares)) as threads:
        return {found.assignment: found for each in threads.map(made, shares) for found in each}


def _tell(audits: list[Audit], out: Path | None, *, as_json: bool) -> None:
    """Prints what was found, and writes it where that was asked for."""
    console = Console()
    for found in audits:
        if not as_json:
            sys.stdout.write(audit_markdown(found) + "\n")
            for problem in found.problems:
                console.print(
                    f"! {problem}", style="red", markup=False, highlight=False, soft_wrap=True
                )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for suffix, text in (
                ("html", audit_html(found)),
                ("json", audit_json(found)),
                ("md", audit_markdown(found)),
            ):
                (out / f"{found.assignment}.{suffix}").write_text(text, encoding="utf-8")
    if as_json:
        sys.stdout.write(audit_json(*audits))
