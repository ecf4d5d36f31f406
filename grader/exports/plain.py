"""A CSV of final marks, for whatever takes one."""

import csv
import io
from collections.abc import Iterable

from grader.exports.marks import FinalMark
from grader.exports.matching import NO_MARK
from grader.reports.classroom import csv_cell
from grader.reports.legible import points_text, visible
from grader.roster import Person, Roster

COLUMNS = ("student", "name", "email", "section", "points", "possible", "status", "note")


def marks_csv(marks: Iterable[FinalMark], roster: Roster) -> str:
    """One row for each mark, by student; no cell is a formula to a spreadsheet."""
    people = {visible(person.student): person for person in roster.people}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for mark in sorted(marks, key=lambda mark: mark.student.casefold()):
        person = people.get(visible(mark.student), Person(student=mark.student))
        row = (
            *(visible(each) for each in (mark.student, person.name, person.email, person.section)),
            "" if mark.points is None else points_text(mark.points),
            points_text(mark.possible),
            mark.why or "final",
            mark.note or NO_MARK.get(mark.why, ""),
        )
        writer.writerow([csv_cell(value) for value in row])
    return text.getvalue()
