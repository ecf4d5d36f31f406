"""`grader doctor`: what is in force here."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import typer
from rich.console import Console

import grader
from grader.assignment import (
    DEFAULT_SECRET,
    assignment_names,
    course_secret,
    find_course,
    read_assignment,
)
from grader.cli.options import CourseOption, JsonOption, LanguageOption
from grader.course import read_settings
from grader.errors import GraderError
from grader.reports.phrasing import isolation_statement, layer_statements
from grader.sandbox.processes import warm_process
from grader.sandbox.warm import Isolation

command = typer.Typer(add_completion=False)


def isolation_facts(isolation: Isolation, language: str) -> dict[str, object]:
    """The level in force, what each of its layers gives, and why no stricter one can be had."""
    layers = layer_statements(isolation.level, language)
    return {
        "isolation": isolation.level,
        "isolation means": isolation_statement(isolation.level, language),
        **{f"layer: {name}": said for name, said in layers.items()},
        **{f"level {name} refused": why for name, why in isolation.refused.items()},
    }


@command.command()
def doctor(lang: LanguageOption, course: CourseOption = None, as_json: JsonOption = False) -> None:
    """Say what isolation, versions and limits are in force here."""
    zygote = warm_process()
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
