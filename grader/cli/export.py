"""`grader export`: final marks for an LMS."""

import json
import platform
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.assignment import (
    DEFAULT_SECRET,
    Assignment,
    course_secret,
    find_course,
    read_assignment,
)
from grader.cli.options import (
    WITHHELD,
    CourseOption,
    JsonOption,
    LanguageOption,
    ResultsOption,
)
from grader.course import course_roster, gradebook_place, read_settings
from grader.errors import EngineError, UsageError
from grader.exports.autograder import autograder_zip
from grader.exports.canvas import fill_canvas
from grader.exports.gradescope import hiding, results_json, write_results
from grader.exports.junit import junit_xml
from grader.exports.marks import FinalMark, Kept, final_mark, read_results, with_missing
from grader.exports.matching import NO_MARK, Filled
from grader.exports.moodle import fill_moodle
from grader.exports.outcomes import results_suite
from grader.exports.plain import marks_csv
from grader.files import write_whole
from grader.gradebook import Gradebook
from grader.reports.legible import visible
from grader.roster import Roster
from grader.spoken import Language
from grader.standing import WHOLE, read_pages, standings

command = typer.Typer(add_completion=False)


class Format(StrEnum):
    """Formats that marks are written in."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"
    CSV = "csv"
    JUNIT = "junit"


class Hidden(StrEnum):
    """When Gradescope shows students what rests on hidden cases."""

    VISIBLE = "visible"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    HIDDEN = "hidden"


FormatArgument = Annotated[
    Format, typer.Argument(metavar="FORMAT", help="canvas, moodle, gradescope, csv or junit.")
]
SheetArgument = Annotated[
    Path | None, typer.Argument(help="The CSV that Canvas or Moodle gave you.")
]
OutOption = Annotated[Path | None, typer.Option(help="File to write.")]
ColumnOption = Annotated[
    str | None, typer.Option(help="Heading of the column, where the title does not tell.")
]
ScaleOption = Annotated[
    bool, typer.Option("--scale", help="Convert to the maximum that the sheet states.")
]
SoFarOption = Annotated[
    bool, typer.Option("--so-far", help="Give what is earned where a part is still to be marked.")
]
StudentOption = Annotated[
    str | None, typer.Option(help="Gradescope: only this student, to the file of --out.")
]
AutograderOption = Annotated[
    Path | None, typer.Option(help="Gradescope: write the autograder's zip here.")
]
HiddenOption = Annotated[
    Hidden, typer.Option(help="Gradescope: when students see what rests on hidden cases.")
]
UnisolatedOption = Annotated[
    bool,
    typer.Option(
        "--allow-unisolated", help="Gradescope: run hidden cases where nothing shuts them in, too."
    ),
]


@command.command()
def export(
    lang: LanguageOption,
    form: FormatArgument,
    assignment: Annotated[str, typer.Argument(help="Name of the assignment.")],
    sheet: SheetArgument = None,
    course: CourseOption = None,
    results: ResultsOption = None,
    out: OutOption = None,
    column: ColumnOption = None,
    scale: ScaleOption = False,
    so_far: SoFarOption = False,
    student: StudentOption = None,
    autograder: AutograderOption = None,
    hidden: HiddenOption = Hidden.AFTER_DUE_DATE,
    unisolated: UnisolatedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write final marks for Canvas, Moodle, Gradescope, CSV or JUnit."""
    root = find_course(Path.cwd(), course)
    read = read_assignment(root, assignment)
    results = results or Path("results") / assignment
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if autograder is not None:
        secret = course_secret(root)
        content = autograder_zip(
            root,
            assignment,
            secret="" if secret == DEFAULT_SECRET else secret,
            language=lang,
            hidden=hidden.value,
            unisolated=unisolated,
        )
        write_whole(autograder, content, private=True)
        console.print(str(autograder))
        return
    if form is Format.JUNIT:
        path = out or results / "junit.xml"
        suite = results_suite(assignment, read_results(results))
        write_whole(path, junit_xml([suite], host=platform.node()).encode())
        console.print(str(path))
        return
    if form is Format.GRADESCOPE:
        kept = read_results(results)
        for path in _gradescope(kept, read, lang, hidden.value, student, out):
            console.print(str(path))
        return
    roster = course_roster(root)
    marks = with_missing(_marks(root, assignment, so_far=so_far), roster)
    if form is Format.CSV:
        path = out or results / "marks.csv"
        # The mark at the front makes spreadsheet programs read Hangul as what it is.
        write_whole(path, ("\ufeff" + marks_csv(marks, roster)).encode())
        console.print(str(path))
    else:
        _fill(form, read, sheet, marks, roster, results, out, column, scale, as_json)
    if any(mark.why == "withheld" for mark in marks):
        raise typer.Exit(WITHHELD)


def _marks(root: Path, assignment: str, *, so_far: bool) -> tuple[FinalMark, ...]:
    """Everybody's mark, as the gradebook and the course's policy have it today."""
    policy = read_settings(root).policy(assignment)
    with Gradebook(gradebook_place(root)) as book:
        pages = read_pages(book, assignment)
    marks = tuple(
        final_mark(each, so_far=so_far, decided=WHOLE in pages.marks.get(each.student, {}))
        for each in standings(pages, policy)
    )
    if not marks:
        raise UsageError(
            f"expected grades of {assignment} in the gradebook, got none @ "
            f"{gradebook_place(root)}; run: grader grade {assignment} SUBMISSIONS"
        )
    return marks


def _fill(
    form: Format,
    read: Assignment,
    sheet: Path | None,
    marks: tuple[FinalMark, ...],
    roster: Roster,
    results: Path,
    out: Path | None,
    column: str | None,
    scale: bool,
    as_json: bool,
) -> None:
    """Fills in a downloaded sheet and says what became of every mark."""
    if sheet is None:
        raise UsageError(
            f"expected the CSV that {form.capitalize()} gave you, got none; download it there and "
            f"run: grader export {form} {read.name} FILE.csv"
        )
    if form is Format.CANVAS:
        titles = tuple(dict.fromkeys((read.rubric.title.en, read.rubric.title.ko, read.name)))
        done = fill_canvas(sheet, titles, marks, roster, column=column, scale=scale)
    else:
        done = fill_moodle(sheet, marks, roster, column=column, scale=scale)
    path = out or results / f"{form}.csv"
    if path.resolve() == sheet.resolve():
        raise UsageError(
            f"expected another file than the sheet itself, got {path} @ --out; the sheet is what "
            "you compare with"
        )
    write_whole(path, done.content)
    _say(done, marks, path, as_json=as_json)


def _say(done: Filled, marks: tuple[FinalMark, ...], path: Path, *, as_json: bool) -> None:
    missing = [mark.student for mark in marks if mark.why == "missing"]
    if as_json:
        told = {
            "file": str(path),
            "column": done.column,
            "filled": {each.student: [each.before, each.after] for each in done.changes},
            "unchanged": done.unchanged,
            "left": list(done.left),
            "missing": missing,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    same = f", {done.unchanged} were there already" if done.unchanged else ""
    console.print(f"{len(done.changes)} marks filled in under {visible(done.column)!r}{same}")
    for line in done.left:
        console.print(f"left: {line}", style="yellow")
    if missing:
        names = ", ".join(visible(name) for name in missing)
        console.print(f"{NO_MARK['missing']} ({len(missing)}): {names}", style="yellow")
    console.print(str(path))


def _gradescope(
    kept: tuple[Kept, ...],
    read: Assignment,
    language: Language,
    hidden: str,
    student: str | None,
    out: Path | None,
) -> list[Path]:
    """Writes `results.json` for one student, or for everybody beside the report."""
    chosen = [each for each in kept if student is None or each.student == visible(student)]
    if not chosen or (out is not None and student is None):
        raise UsageError(
            f"expected one of the students, with --student, got {student!r}; the results have "
            + ", ".join(each.student for each in kept)
        )
    hides = hiding(read.rubric)
    written, withheld = [], []
    for each in chosen:
        path = out or each.folder / "results.json"
        try:
            write_results(path, results_json(each, hides, language, hidden=hidden))
        except EngineError as error:
            if student is not None:
                raise
            withheld.append(str(error))
            continue
        written.append(path)
    if withheld:
        raise EngineError("expected every mark to be there; " + "; ".join(withheld))
    return written
