"""Moves -> what people and machines read: a table, JSON, the job's summary, annotations."""

import ast
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.table import Table

from grader.ci import CriterionMove, Move, Regraded
from grader.exports.junit import Case, Suite
from grader.reports.legible import points_text, visible
from grader.types import CriterionResult, Rubric, Standing, Status, Submission, Verdict

MOST_SUMMARY_BYTES = 1_000_000
"""GitHub drops a step's summary of more than 1 MiB, whole."""
MOST_ANNOTATIONS = 10
"""GitHub shows ten of each kind for a step."""
PARTS = {
    "submission": "submission changed",
    "attempt": "another attempt counts",
    "reference": "reference changed",
    "skeleton": "skeleton changed",
    "data": "data files changed",
    "cases": "cases changed",
    "limits": "limits changed",
    "forbidden": "forbidden API changed",
    "checks": "checks or tolerances changed",
    "mistakes": "known mistakes changed",
    "adapter": "adapter changed",
    "secret": "secret changed",
    "engine": "the grader changed",
    "torch": "another torch",
    "numpy": "another NumPy",
    "isolation": "another isolation level",
    "points": "points changed",
    "void": "a case or criterion was taken out",
    "policy": "dates or late policy changed",
}
"""What changed, in words."""


def why_text(move: Move) -> str:
    """Why a mark moved."""
    if move.before is None:
        return "first graded"
    return ", ".join(PARTS.get(each, each) for each in move.why) or "marked by hand"


def mark_text(standing: Standing | None) -> str:
    """A mark: "7.5 of 10", or why there is none."""
    if standing is None:
        return "none"
    if standing.earned is None:
        return standing.status.value if standing.status is not Status.GRADED else "does not count"
    pending = f" + {points_text(standing.pending)} to mark" if standing.pending else ""
    return f"{points_text(standing.earned)} of {points_text(standing.possible)}{pending}"


def criterion_text(move: CriterionMove) -> str:
    """A criterion that came out otherwise: "causality: pass 2 of 2 -> fail 0 of 2"."""
    return f"{visible(move.id)}: {_came_out(move.before)} -> {_came_out(move.after)}"


def _came_out(result: CriterionResult | None) -> str:
    if result is None:
        return "none"
    verdict = "to mark" if result.verdict is None else result.verdict.value
    return f"{verdict} {points_text(result.earned)} of {points_text(result.points)}"


def counts_text(regraded: Regraded, *, dry_run: bool) -> str:
    """How much was done, in a line."""
    move = "would move" if dry_run else "moved"
    said = "mark" if len(regraded.moves) == 1 else "marks"
    return (
        f"{regraded.assignment}: {len(regraded.moves)} {said} {move}; {regraded.ran} run, "
        f"{regraded.rescored} re-scored, {regraded.unchanged} unchanged"
    )


def table(regraded: Regraded) -> Table:
    """Whose mark moved, for a terminal."""
    shown = Table(title=None, box=None, pad_edge=False)
    for column in ("student", "from", "to", "why", "criteria"):
        shown.add_column(column, overflow="fold")
    for move in regraded.moves:
        told = "\n".join(map(criterion_text, move.criteria))
        cells = (mark_text(move.before), mark_text(move.after), why_text(move), told)
        shown.add_row(visible(move.student), *cells)
    return shown


def as_json(regraded: Sequence[Regraded], *, dry_run: bool) -> str:
    """Everything, for machines."""
    told = [
        {
            "assignment": each.assignment,
            "dry_run": dry_run,
            "ran": each.ran,
            "rescored": each.rescored,
            "unchanged": each.unchanged,
            "moves": [_move_facts(move) for move in each.moves],
            "orphans": [{"student": m.student, "criterion": m.criterion} for m in each.orphans],
        }
        for each in regraded
    ]
    return json.dumps({"regraded": told}, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _move_facts(move: Move) -> dict[str, Any]:
    return {
        "student": visible(move.student),
        "from": _standing_facts(move.before),
        "to": _standing_facts(move.after),
        "why": list(move.why),
        "criteria": [
            {"id": c.id, "from": _criterion_facts(c.before), "to": _criterion_facts(c.after)}
            for c in move.criteria
        ],
    }


def _standing_facts(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "status": standing.status.value,
        "earned": None if standing.earned is None else _number(standing.earned),
        "possible": _number(standing.possible),
        "pending": _number(standing.pending),
        "note": standing.note,
    }


def _criterion_facts(result: CriterionResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    verdict = None if result.verdict is None else result.verdict.value
    return {
        "verdict": verdict,
        "earned": _number(result.earned),
        "points": _number(result.points),
    }


def _number(points: Fraction) -> float:
    return float(points_text(points))


def summary(
    regraded: Sequence[Regraded], *, dry_run: bool, most_bytes: int = MOST_SUMMARY_BYTES
) -> str:
    """Markdown for a job's summary, of at most some bytes; what does not fit is counted."""
    text, left_out = "", 0
    for each in regraded:
        text += f"### {_cell(counts_text(each, dry_run=dry_run))}\n\n"
        if each.moves:
            text += "| student | from | to | why | criteria |\n| --- | --- | --- | --- | --- |\n"
        for move in each.moves:
            told = "<br>".join(_cell(criterion_text(one)) for one in move.criteria)
            cells = [visible(move.student), mark_text(move.before), mark_text(move.after)]
            row = " | ".join(map(_cell, [*cells, why_text(move)]))
            line = f"| {row} | {told} |\n"
            if len((text + line).encode()) > most_bytes - 1000:
                left_out += 1
            else:
                text += line
        text += "\n"
    return text + (f"... and {left_out} more marks moved; see the JSON.\n" if left_out else "")


def _cell(text: str) -> str:
    """Text that is nothing but text in a table of Markdown."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return re.sub(r"([\\`*_{}\[\]()#|~@])", r"\\\1", escaped)


def annotations(regraded: Sequence[Regraded]) -> Iterator[str]:
    """Workflow commands that GitHub shows on the line of the student's function.

    They say which criterion came out otherwise, and nothing of what a hidden case has shown.
    """
    listed = [
        (move, criterion, regraded_one.rubric)
        for regraded_one in regraded
        for move in regraded_one.moves
        if move.submission is not None
        for criterion in move.criteria
        if criterion.after is not None and criterion.after.verdict is not None
    ]
    lost = [each for each in listed if each[1].after and each[1].after.verdict is not Verdict.PASS]
    for move, criterion, rubric in lost[:MOST_ANNOTATIONS]:
        yield _annotation("error", move, criterion, rubric)
    if len(lost) > MOST_ANNOTATIONS:
        yield f"::notice::{len(lost) - MOST_ANNOTATIONS} more criteria came out otherwise"


def _annotation(kind: str, move: Move, criterion: CriterionMove, rubric: Rubric) -> str:
    own = next((each for each in rubric.criteria if each.id == criterion.id), None)
    title = own.title.en if own else criterion.id
    place = ""
    if move.submission is not None and own is not None:
        file, line = definition(move.submission, own.entry)
        place = f"file={_property(file)},line={line},"
    said = f"{visible(move.student)}: {criterion_text(criterion)} ({why_text(move)})"
    return f"::{kind} {place}title={_property(title)}::{_data(said)}"


def definition(submission: Submission, entry: str) -> tuple[str, int]:
    """File, from the working folder, and line at which a student defines an entry; else line 1."""
    name = entry.partition(".")[0]
    found = ("", 1)
    for file in submission.files:
        place = Path(submission.path)
        path = place / file.name if place.is_dir() else place
        shown = os.path.relpath(path)
        line = _line(file.content.decode("utf-8", "replace"), name, file.name)
        if line is not None:
            return shown, line
        found = found if found[0] else (shown, 1)
    return found


def _line(source: str, name: str, file: str) -> int | None:
    """Of a notebook it is the line of the file in which the definition stands, as text."""
    pattern = re.compile(rf'^\s*"?\s*(async\s+def|def|class)\s+{re.escape(name)}\b')
    if file.endswith(".py"):
        try:
            for node in ast.parse(source).body:
                if getattr(node, "name", "") == name:
                    return node.lineno
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    for number, line in enumerate(source.splitlines(), 1):
        if pattern.match(line):
            return number
    return None


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def suites(regraded: Iterable[Regraded]) -> tuple[Suite, ...]:
    """One suite for each assignment, one case for each student's criterion."""
    return tuple(
        Suite(
            name=each.assignment,
            cases=tuple(
                _case(each.assignment, student, result, each.rubric)
                for student in sorted(each.criteria)
                for result in each.criteria[student]
            ),
        )
        for each in regraded
    )


def _case(assignment: str, student: str, result: CriterionResult, rubric: Rubric) -> Case:
    titles = {each.id: each.title.en for each in rubric.criteria}
    kinds = {Verdict.PASS: "passed", None: "skipped", Verdict.BLOCKED: "skipped"}
    kinds |= {Verdict.FAIL: "failed", Verdict.ERROR: "error", Verdict.BROKEN: "error"}
    return Case(
        suite=f"{assignment}.{visible(student)}",
        name=titles.get(result.id, result.id),
        outcome=kinds[result.verdict],
        said=_came_out(result),
    )
