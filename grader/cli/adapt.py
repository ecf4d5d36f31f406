"""`grader adapt`: an adapter proposed from a file of a course that already exists."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.adapters.proposing import propose
from grader.assignment import Assignment, find_course, read_assignment
from grader.cli.options import CourseOption
from grader.collect import collect
from grader.errors import CourseError, UsageError
from grader.load import load
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.types import Case, Job, Parameter, RawOutput, Submission, Trial

command = typer.Typer(add_completion=False)


@command.command()
def adapt(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    file: Annotated[Path, typer.Argument(help="A notebook, module or folder of the course.")],
    course: CourseOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write it here.")] = None,
) -> None:
    """Propose an adapter for a course that already exists, from one of its files.

    What is sure stands there as YAML, what is not as comments with the candidates.
    """
    root = find_course(Path.cwd(), course)
    read = read_assignment(root, assignment)
    (submission, *others) = collect([file], assignment).submissions
    if others:
        raise UsageError(f"expected one submission, got {len(others) + 1} in {file}; name one")
    if to is not None and to.exists():
        raise UsageError(f"expected a file that is not there yet, got {to}; name another with --to")
    zygote = warm_process()
    try:
        said = proposed(read, submission, Runner(zygote))
    finally:
        zygote.close()
    if to is None:
        sys.stdout.write(said)
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(said, encoding="utf-8")
    console = Console()
    asked = said.count("# ? ")
    console.print(f"{to}: {asked} choices are left to you, each marked `# ?`", soft_wrap=True)


def proposed(assignment: Assignment, submission: Submission, runner: Runner) -> str:
    """The adapter that is proposed for a submission of a course."""
    reference = Submission(
        student="reference", assignment=assignment.name, path="", files=(assignment.reference,)
    )

    def ask(of: Submission, trial: Trial) -> RawOutput:
        loaded = load(of, (trial.entry,))
        job = Job(source=loaded.source, modules=loaded.modules, limits=assignment.rubric.limits)
        with runner.open(job) as asked:
            return asked((trial,))[0]

    def ours(case: Case) -> tuple[Parameter, ...]:
        return ask(reference, described(case.entry, dict(case.config))).parameters

    def described(name: str, config: dict[str, object]) -> Trial:
        return Trial(case="", variant="describe", entry=name, probe="describe", config=config)

    theirs = load(submission, (), everything=True).source
    try:
        return propose(
            assignment.rubric,
            assignment.reference.content.decode("utf-8"),
            theirs,
            ours,
            lambda name, config: ask(submission, described(name, dict(config))),
        )
    except SyntaxError as error:
        raise CourseError(f"expected Python, got {error} @ {submission.path}") from error
