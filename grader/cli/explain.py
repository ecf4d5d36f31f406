"""`grader explain`: how a mark came about, from what is in the gradebook."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import find_course, read_assignment
from grader.ci.telling import PARTS, mark_text
from grader.cli.options import CourseOption, LanguageOption
from grader.course import gradebook_place, read_settings
from grader.errors import UsageError
from grader.gradebook import Gradebook, MarkRow
from grader.keys import changed
from grader.policy import Policy
from grader.reports.legible import plain_facts, points_text, visible
from grader.reports.messages import say
from grader.reports.phrasing import verdict_name
from grader.score import graded
from grader.spoken import Language
from grader.standing import Pages, final, outcome_of, read_pages, standing_of
from grader.types import CriterionResult, Grade, Rubric

command = typer.Typer(add_completion=False)


@command.command()
def explain(
    lang: LanguageOption,
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    student: Annotated[str, typer.Argument(help="Name of the student.")],
    criterion: Annotated[str | None, typer.Argument(help="One criterion; all if none.")] = None,
    course: CourseOption = None,
) -> None:
    """Say how a mark came about.

    Nothing is run. What hidden cases showed is in it, so it is not for students.
    """
    root = find_course(Path.cwd(), course)
    rubric = read_assignment(root, assignment).rubric
    policy = read_settings(root).policy(assignment)
    known = [each.id for each in rubric.criteria]
    if criterion is not None and criterion not in known:
        raise UsageError(f"expected a criterion ({', '.join(known)}), got {criterion!r}")
    with Gradebook(gradebook_place(root)) as book:
        pages = read_pages(book, assignment)
        if student not in pages.attempts:
            listed = ", ".join(map(visible, pages.students[:20])) or "nobody yet"
            raise UsageError(f"expected a student ({listed}), got {student!r}")
        lines = [*_now(book, pages, rubric, policy, student, criterion, lang)]
        if criterion is None:
            lines += _history(book, assignment, student)
    console = Console(highlight=False, markup=False)
    for line in lines:
        console.print(line, soft_wrap=True)


def _now(
    book: Gradebook,
    pages: Pages,
    rubric: Rubric,
    policy: Policy,
    student: str,
    criterion: str | None,
    lang: Language,
) -> Iterator[str]:
    told = outcome_of(pages, student, policy)
    mark = mark_text(standing_of(pages, student, policy))
    yield f"{visible(student)}, {rubric.assignment}: {mark}"
    if told is None:
        return
    row = pages.rows[student, told.attempt.submission]
    seen = book.observations([row.run_key]).get(row.run_key)
    yield f"  submission {row.submission[:12]}, run key {row.run_key[:12]}, graded {row.made_at}"
    if seen is None:
        yield "  what it showed is not in the gradebook: the mark was withheld, and is tried again"
        return
    made = seen.provenance
    yield f"  torch {made.torch}, NumPy {made.numpy}, isolation {made.isolation}"
    checked = graded(seen, rubric, student)
    if _differs(row.criteria, checked):
        yield "  the rubric has changed since: grader regrade would move what is said below"
    marks = pages.marks.get(student, {})
    grade = final(checked, told, marks)
    for seen_by_checks, result in zip(checked.criteria, grade.criteria, strict=True):
        if criterion in (None, result.id):
            shown = replace(result, findings=seen_by_checks.findings)
            yield from _criterion(shown, marks.get(result.id), lang)
    for diagnosis in grade.diagnoses if criterion is None else ():
        named = " or ".join("+".join(ids) for ids in diagnosis.alternatives)
        yield f"  diagnosis of {diagnosis.entry}: {diagnosis.kind} {named}".rstrip()
    for note in grade.notes if criterion is None else ():
        yield f"  {say(note.code, plain_facts(note.facts), lang)}"


def _differs(before: tuple[CriterionResult, ...], grade: Grade) -> bool:
    old = [(each.id, each.verdict, each.earned, each.points) for each in before]
    return old != [(each.id, each.verdict, each.earned, each.points) for each in grade.criteria]


def _criterion(result: CriterionResult, mark: MarkRow | None, lang: Language) -> Iterator[str]:
    points = f"{points_text(result.earned)} of {points_text(result.points)}"
    blocked = f", blocked by {result.blocked_by}" if result.blocked_by else ""
    yield f"  {result.id}: {verdict_name(result.verdict) or 'to be marked'}, {points}{blocked}"
    if mark is not None:
        why = visible(mark.why) or "no reason given"
        yield f"    set by {visible(mark.who)}, {mark.made_at}: {why}"
    for finding in result.findings:
        said = say(finding.code, plain_facts(finding.facts), lang) if finding.code else ""
        where = f" in {finding.case}" if finding.case else ""
        hidden = " (hidden)" if finding.hidden else ""
        yield f"    {finding.check}{where}{hidden}: {finding.verdict.value} {said}".rstrip()


def _history(book: Gradebook, assignment: str, student: str) -> Iterator[str]:
    for each in book.attempts(assignment, student):
        at = f", submitted {each.submitted_at}" if each.submitted_at else ""
        yield f"  handed in {each.submission[:12]}, first seen {each.seen_at}{at}"
    rows = book.grades(assignment, student)
    parts = book.parts({row.basis for row in rows})
    for before, row in pairwise((None, *rows)):
        if row is None:
            continue
        why = ["first graded"]
        if before is not None:
            names = changed(parts[before.basis], parts[row.basis])
            why = [PARTS["submission"]] * (before.submission != row.submission)
            why += [PARTS.get(name, name) for name in names]
        earned = "none" if row.earned is None else points_text(row.earned)
        yield f"  {row.made_at}: {row.status.value}, {earned} ({', '.join(why) or 'run again'})"
    for mark in book.marks(assignment, student):
        points = "taken back" if mark.points is None else points_text(mark.points)
        what = mark.criterion or "total"
        told = f"{what} {points} by {visible(mark.who)} {visible(mark.why)}"
        yield f"  {mark.made_at}: {told}".rstrip()
