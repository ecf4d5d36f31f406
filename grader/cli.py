"""The front door: `grader check | grade | release | doctor`."""

import json
import locale
import os
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import grader
from grader.assignment import (
    DEFAULT_SECRET,
    assignment_names,
    course_secret,
    find_course,
    read_assignment,
)
from grader.audit import audit as look_at
from grader.audit.pages import audit_html, audit_json, audit_markdown
from grader.author import release as make_release
from grader.author import stale, write
from grader.collect import collect
from grader.course import read_settings, require
from grader.errors import EngineError, GraderError
from grader.executors import executor
from grader.instructor import KEPT, ClassResult, Marker, grade_class
from grader.reports.classroom import grades_json
from grader.reports.legible import visible
from grader.reports.phrasing import isolation_statement, layer_statements
from grader.reports.student import report_json
from grader.reports.terminal import check_report, class_report
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Isolation, Zygote
from grader.student import check as check_work
from grader.types import Grade, Status

FAILED, WRONG_USE, WITHHELD, INTERRUPTED = 1, 2, 3, 130
MOST_SAID = 20_000
"""Characters of a refusal, in which names may be a student's."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="An automatic grader for sequence-model assignments in PyTorch.",
    pretty_exceptions_enable=False,
)


class Language(StrEnum):
    """Languages of the messages and pages."""

    EN = "en"
    KO = "ko"


def default_language() -> Language:
    """Korean where the environment asks for it, else English."""
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return Language.KO if (asked or locale.getlocale()[0] or "").startswith("ko") else Language.EN


CourseOption = Annotated[
    Path | None, typer.Option("--course", help="The course; the nearest folder above by default.")
]
LanguageOption = Annotated[
    Language, typer.Option("--lang", default_factory=default_language, help="en or ko.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def check(
    lang: LanguageOption,
    file: Annotated[Path | None, typer.Argument(help="Your notebook or module.")] = None,
    assignment: Annotated[str | None, typer.Option(help="Name of the assignment.")] = None,
    course: CourseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check your own work against the public cases."""
    zygote = Zygote()
    try:
        checked = check_work(file, assignment, Path.cwd(), Runner(zygote), course)
    finally:
        zygote.close()
    view = student_view(checked.grade)
    if as_json:
        sys.stdout.write(report_json(view))
    else:
        Console().print(check_report(view, lang))
    if checked.grade.status is Status.WITHHELD:
        raise typer.Exit(WITHHELD)
    if not checked.passed:
        raise typer.Exit(FAILED)


def progress_bar(console: Console) -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def print_class(result: ClassResult, lang: Language, *, as_json: bool) -> None:
    """What grading a class gave: as JSON, or as a table and where the page is."""
    if as_json:
        sys.stdout.write(grades_json(result.grades))
        return
    console = Console()
    console.print(class_report(result.grades, lang))
    console.print(str(result.page), soft_wrap=True, markup=False, highlight=False)


@app.command()
def grade(
    lang: LanguageOption,
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or zips of submissions.")],
    course: CourseOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results.")] = None,
    workers: Annotated[
        int, typer.Option("-j", "--workers", min=1, max=64, help="Submissions at a time.")
    ] = os.cpu_count() or 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what is known.")] = False,
    unisolated: Annotated[
        bool,
        typer.Option(
            "--allow-unisolated", help="Run hidden cases even where submissions can't be shut in."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Grade submissions, and write marks, reports and a class page."""
    found = collect(paths, assignment)
    zygote = Zygote()
    quiet = Console(stderr=True)
    try:
        root = find_course(Path.cwd(), course)
        out = out or Path("results") / assignment
        if fresh or not (out / KEPT).is_dir():
            zygote.begin()  # while the rubric is read
        marker = Marker(root, assignment, Runner(zygote, workers))
        require(zygote.isolation(), root, hides=marker.hides, unisolated=unisolated)
        zygote.training = marker.trains
        with progress_bar(quiet) as progress:
            bar = progress.add_task(assignment, total=len(found.submissions))

            def advance(graded: Grade) -> None:
                progress.advance(bar)

            result = grade_class(
                marker,
                found,
                out,
                executor(workers),
                fresh=fresh,
                language=lang,
                progress=advance,
            )
    finally:
        zygote.close()
    for skipped in found.skipped:
        quiet.print(f"skipped {skipped}", style="yellow", markup=False, highlight=False)
    print_class(result, lang, as_json=as_json)
    if result.missing:
        quiet.print(
            f"interrupted: {result.missing} not graded yet; the same command goes on from here",
            style="yellow",
        )
        raise typer.Exit(INTERRUPTED)
    if any(each.status is Status.WITHHELD for each in result.grades):
        raise typer.Exit(WITHHELD)


@app.command()
def release(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    course: CourseOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the folder here.")] = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only say whether the files are fresh.")
    ] = False,
) -> None:
    """Build what a student gets: skeleton, notebook and public cases."""
    root = find_course(Path.cwd(), course)
    zygote = Zygote()
    try:
        read = read_assignment(root, assignment)
        released = make_release(read, course_secret(root), Runner(zygote))
    finally:
        zygote.close()
    folder = to or read.folder
    console = Console()
    if only_check:
        old = stale(released, folder)
        for name in old:
            console.print(f"stale: {folder / name}", soft_wrap=True, markup=False)
        if old:
            console.print(f"make them again with: grader release {assignment}", markup=False)
            raise typer.Exit(FAILED)
        return
    for path in write(released, read, folder):
        console.print(str(path), soft_wrap=True, markup=False, highlight=False)


@app.command()
def audit(
    assignments: Annotated[list[str] | None, typer.Argument(help="Names; all if none.")] = None,
    course: CourseOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for pages, JSON and Markdown.")] = None,
    right: Annotated[
        Path | None, typer.Option(help="Right implementations: a folder for each assignment.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """See whether every known mistake is caught, told apart and named."""
    root = find_course(Path.cwd(), course)
    rights = right or root / "tests" / "independent"
    zygote, console, audits = Zygote(), Console(), []
    try:
        for name in assignments or assignment_names(root):
            read = read_assignment(root, name)
            files = tuple(sorted([*(rights / name).glob("*.py"), *(rights / name).glob("*.ipynb")]))
            found = look_at(read, course_secret(root), Runner(zygote), files)
            audits.append(found)
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
                    (out / f"{name}.{suffix}").write_text(text, encoding="utf-8")
    finally:
        zygote.close()
    if as_json:
        sys.stdout.write(audit_json(*audits))
    if any(found.problems for found in audits):
        raise typer.Exit(FAILED)


def isolation_facts(isolation: Isolation, language: str) -> dict[str, object]:
    """The level in force, what each of its layers gives, and why no stricter one can be had."""
    layers = layer_statements(isolation.level, language)
    return {
        "isolation": isolation.level,
        "isolation means": isolation_statement(isolation.level, language),
        **{f"layer: {name}": said for name, said in layers.items()},
        **{f"level {name} refused": why for name, why in isolation.refused.items()},
    }


@app.command()
def doctor(lang: LanguageOption, course: CourseOption = None, as_json: JsonOption = False) -> None:
    """Say what isolation, versions and limits are in force here."""
    zygote = Zygote()
    try:
        versions = dict(zygote.start())
        isolation = zygote.isolation()
    finally:
        zygote.close()
    try:
        root: Path | None = find_course(Path.cwd(), course)
    except GraderError:
        if course is not None:
            raise
        root = None
    facts: dict[str, object] = {
        "grader": grader.__version__,
        "python": sys.version.split()[0],
        **versions,
        "pydantic": version("pydantic"),
        **isolation_facts(isolation, lang),
        "course": str(root) if root else "none here",
    }
    if root is not None:
        if (asked := read_settings(root).isolation) != "E":
            facts["isolation asked for"] = f"{asked} or stricter"
        default = course_secret(root) == DEFAULT_SECRET
        facts["secret"] = (
            "the default one: hidden inputs can be guessed; set GRADER_SECRET" if default else "set"
        )
        for name in assignment_names(root):
            limits = read_assignment(root, name).rubric.limits
            facts[f"limits of {name}"] = (
                f"{limits.seconds:g} s a submission, {limits.trial_seconds:g} s a trial, "
                f"{limits.memory_mb} MiB"
            )
    if as_json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console()
    for name, value in facts.items():
        console.print(f"{name:>24}  {value}", soft_wrap=True, markup=False, highlight=False)


def main() -> None:
    """Runs the command; every refusal is one message and an exit code."""
    try:
        app()
    except GraderError as error:
        said = visible(str(error), lines=True, limit=MOST_SAID)
        Console(stderr=True).print(said, style="red", markup=False, highlight=False)
        raise SystemExit(WITHHELD if isinstance(error, EngineError) else WRONG_USE) from error
