"""What `grader check` and `grader grade` print, as rich renderables.

Everything is a `Text`, never markup, so that no student's bracket is taken for a style. Colour
only repeats what a mark and a word say; rich drops it for NO_COLOR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.reports.classroom import criterion_titles, reasons
from grader.reports.legible import points_text, visible
from grader.reports.messages import Piece, phrase, prose, say
from grader.reports.phrasing import (
    ASCII_MARKS,
    MARKS,
    amount,
    diagnosis_heading,
    first_case,
    next_step,
    status_word,
    verdict_name,
    verdict_word,
    where,
)
from grader.reports.view import StudentCriterion, StudentFinding, StudentView
from grader.types import Grade, Status
from grader.types import Text as InTwoLanguages

STYLES = {
    "pass": "green",
    "fail": "bold red",
    "error": "bold yellow",
    "blocked": "dim",
    "broken": "bold magenta",
    "pending": "cyan",
}
"""Colour of each verdict, of the sixteen that every terminal lets its user choose."""

NO_CALLS: Mapping[str, str] = MappingProxyType({})
_NARROW = 60
_NAME_WIDTH = 40


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A student's report; `console.print` it."""

    view: StudentView
    """What the student may know."""
    language: str
    """"en" or "ko"."""
    calls: Mapping[str, str]
    """What was called in each public case."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Criterion by criterion, then notes, then one line that says what to do next."""
        marks = ASCII_MARKS if options.ascii_only else MARKS
        yield from _head(self.view, self.language)
        calls = dict(self.calls)
        for criterion in self.view.criteria:
            yield from _criterion(criterion, self.view, marks, self.language, calls)
        if self.view.notes:
            yield Text()
            yield Text(say("ui.notes", {}, self.language), style="bold")
            for note in self.view.notes:
                yield _hanging(_sentence(phrase(note.code, note.facts, self.language)), 2)
        yield Text()
        if case := first_case(self.view):
            yield Text(say("ui.replay", {"case": case}, self.language), style="dim")
        yield Text(next_step(self.view, self.language), style="bold")


@dataclass(frozen=True, slots=True)
class ClassReport:
    """The class as a table; `console.print` it."""

    grades: Sequence[Grade]
    """One for each submission."""
    language: str
    """"en" or "ko"."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A row for each student; on a narrow terminal without the verdicts."""
        if not self.grades:
            yield Text(say("ui.class.empty", {}, self.language))
            return
        marks = ASCII_MARKS if options.ascii_only else MARKS
        titles = criterion_titles(self.grades)
        narrow = options.max_width < _NARROW + 2 * len(titles)
        yield _class_table(self.grades, marks, self.language, {} if narrow else titles)
        for grade in self.grades:
            if grade.earned is None:
                yield _why(grade, self.language)
        blank = sum(grade.earned is None for grade in self.grades)
        graded = sum(grade.status is Status.GRADED for grade in self.grades)
        waiting = sum(grade.status is Status.NOT_STARTED for grade in self.grades)
        facts = {"graded": graded, "waiting": waiting, "blank": blank}
        yield Text(say("ui.class.next", facts, self.language), style="bold")


def check_report(
    view: StudentView, language: str, calls: Mapping[str, str] = NO_CALLS
) -> CheckReport:
    """What `grader check` prints; `calls` says what was called in each public case."""
    return CheckReport(view, language, calls)


def class_report(grades: Sequence[Grade], language: str) -> ClassReport:
    """What `grader grade` prints."""
    return ClassReport(grades, language)


def _head(view: StudentView, language: str) -> Iterable[Text]:
    head = Text(view.title.of(language), style="bold")
    if view.earned is None:
        head.append(f"  {status_word(view.status, language)}", style="not bold")
    else:
        facts = {"earned": amount(view.earned), "possible": amount(view.possible)}
        head.append(f"  {say('ui.of_points', facts, language)}", style="not bold")
    if view.pending:
        facts = {"points": amount(view.pending)}
        head.append(f"  {say('ui.pending', facts, language)}", style="not bold cyan")
    yield head
    yield Text()


def _criterion(
    criterion: StudentCriterion,
    view: StudentView,
    marks: dict[str, str],
    language: str,
    calls: dict[str, str],
) -> Iterable[RenderableType]:
    """One criterion; of `calls` those that it shows are taken out."""
    name = verdict_name(criterion.verdict)
    row = Table.grid(padding=(0, 1), expand=False)
    row.add_column(width=1, no_wrap=True)
    row.add_column(overflow="fold")
    earned = "?" if criterion.verdict is None else amount(criterion.earned)
    line = Text(criterion.title.of(language))
    line.append(f"  {earned}/{amount(criterion.points)}", style="dim")
    line.append(f"  {verdict_word(criterion.verdict, language)}", style=STYLES[name])
    row.add_row(Text(marks[name], style=STYLES[name]), line)
    yield row
    if criterion.blocked_by:
        titles = {one.id: one.title.of(language) for one in view.criteria}
        title = titles.get(criterion.blocked_by, criterion.blocked_by)
        yield _hanging(Text(say("ui.blocked_by", {"title": title}, language), style="dim"))
    if criterion.diagnosis is not None:
        seen = criterion.diagnosis
        yield _hanging(Text(diagnosis_heading(seen, language), style="bold"))
        for symptom in seen.symptoms:
            yield _hanging(_sentence(prose(symptom.of(language))), 6)
        for hint in seen.hints:
            ask = Text.assemble((f"{say('ui.ask', {}, language)} ", "bold"))
            yield _hanging(ask.append_text(_sentence(prose(hint.of(language)))), 6)
    for finding in criterion.findings:
        case = finding.cases[0] if finding.cases and name in ("fail", "error") else ""
        if case in calls:
            facts = {"case": case, "call": calls.pop(case)}
            yield _hanging(_sentence(phrase("ui.called", facts, language)))
        yield _hanging(_finding(finding, language))
    for hidden in criterion.hidden:
        yield _hanging(_sentence(phrase(hidden.code, {}, language)))
    if criterion.read and name in ("fail", "error"):
        read = f"{say('ui.read', {}, language)}: {visible(criterion.read.removeprefix('#'))}"
        yield _hanging(Text(read, style="dim"))


def _finding(finding: StudentFinding, language: str) -> Text:
    text = _sentence(phrase(finding.code, finding.facts, language))
    places = []
    if finding.cases:
        places.append(f"{say('ui.case', {}, language)} {', '.join(finding.cases)}")
    if finding.origin:
        places.append(where(finding.origin, language))
    if places:
        text.append(f"  ({'; '.join(places)})", style="dim")
    return text


def _sentence(pieces: Iterable[Piece]) -> Text:
    text = Text()
    for piece in pieces:
        text.append(piece.text, style="cyan" if piece.code else None)
    return text


def _hanging(text: Text, left: int = 4) -> Padding:
    text.overflow = "fold"
    return Padding(text, (0, 0, 0, left))


def _class_table(
    grades: Sequence[Grade],
    marks: dict[str, str],
    language: str,
    titles: Mapping[str, InTwoLanguages],
) -> Table:
    """A row for each student; without titles, for a narrow terminal, without the verdicts."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("ui.class.student", {}, language), overflow="fold", ratio=1)
    table.add_column(say("ui.class.status", {}, language))
    table.add_column(say("ui.class.mark", {}, language), justify="right", no_wrap=True)
    if titles:
        table.add_column(say("ui.class.pending", {}, language), justify="right", no_wrap=True)
    if titles:
        table.add_column(say("ui.criteria", {}, language), no_wrap=True)
    for grade in grades:
        mark = say("ui.no_mark", {}, language)
        if grade.earned is not None:
            mark = f"{points_text(grade.earned)} / {points_text(grade.possible)}"
        cells = [
            Text(visible(grade.student, limit=_NAME_WIDTH)),
            Text(status_word(grade.status, language)),
            Text(mark),
        ]
        if titles:
            cells.append(Text(points_text(grade.pending) if grade.pending else ""))
        if titles:
            cells.append(_verdicts(grade, titles, marks))
        table.add_row(*cells)
    return table


def _verdicts(grade: Grade, titles: Iterable[str], marks: dict[str, str]) -> Text:
    names = {result.id: verdict_name(result.verdict) for result in grade.criteria}
    text = Text()
    for id_ in titles:
        name = names.get(id_)
        if name is None:
            text.append("  ")
        else:
            text.append(f"{marks[name]} ", style=STYLES[name])
    return text


def _why(grade: Grade, language: str) -> Padding:
    text = Text(f"{visible(grade.student, limit=_NAME_WIDTH)}: ")
    notes = reasons(grade, language)
    for note in notes:
        text.append_text(_sentence(phrase(note.code, note.facts, language)))
        text.append(" ")
    if not notes:
        text.append(say("ui.class.no_reason", {}, language))
    return _hanging(text, 2)
