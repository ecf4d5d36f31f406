"""`grader audit`: whether every known mistake is caught, told apart and named."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import assignment_names, course_secret, find_course, read_assignment
from grader.audit import audit as look_at
from grader.audit.pages import audit_html, audit_json, audit_markdown
from grader.cli.options import FAILED, CourseOption, JsonOption
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner

command = typer.Typer(add_completion=False)


@command.command()
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
    zygote, console, audits = warm_process(), Console(), []
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
