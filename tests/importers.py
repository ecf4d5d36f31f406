"""What Canvas and Moodle do with a sheet that is uploaded, in so far as their sources say.

The rules are told in our own words; each names the place that states it. Canvas:
lib/gradebook_importer.rb of instructure/canvas-lms (commit 00b222d7). Moodle:
mod/assign/feedback/offline/{importgradeslib,locallib}.php of moodle/moodle (452e36fc, 04975560).
"""

import csv
import io
import re
from dataclasses import dataclass, field


@dataclass
class Import:
    """What an upload would do."""

    grades: dict[str, str] = field(default_factory=dict)
    new_students: list[str] = field(default_factory=list)
    new_assignments: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def canvas(sheet: bytes, students: dict[str, str], assignments: dict[str, str]) -> Import:
    """An upload to Canvas.

    - process_header / row_has_student_headers?: more than three cells, the first holds "Student",
      the second "ID" (or LastName, FirstName, ID); last_student_info_column must be "Section".
    - csv_stream: rows of separators and blanks only are skipped; a cell that is a pure number may
      have a comma for its point (decimal_comma_to_period).
    - check_for_non_student_row: a first cell with "Points Possible" in it, and a row that is blank
      but for "Manual Posting", are no students.
    - parse_assignments / Assignment.title_and_id: "Title (id)" is found by id, then by title; any
      other column becomes a new assignment; columns of scores and totals are stripped before.
    - process_student: by ID, then SIS ID and login, then name or sortable name; else a new user.
    """
    text = sheet.decode("utf-8-sig")
    delimiter = (
        ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    )
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    header, *body = rows
    split = header[0] == "LastName"
    assert len(header) > 3 and (split or ("Student" in header[0] and "ID" in header[1]))
    section = header.index("Section")
    totals = re.compile(r"(Current|Final|Override) (Score|Points|Grade|Status)")
    done = Import()
    columns: dict[int, str] = {}
    for place, name in enumerate(header):
        if place <= section or totals.search(name):
            continue
        match = re.fullmatch(r"(.*)\s\((\d+)\)", name, re.DOTALL)
        number = match[2] if match else ""
        if number in assignments or name in assignments.values():
            columns[place] = number
        else:
            done.new_assignments.append(name)
    number_at = 2 if split else 1
    for row in body:
        if not any(cell.strip(" ") for cell in row) or "Points Possible" in row[0]:
            continue
        if all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.I) for cell in row):
            continue
        if row[number_at] not in students and row[0] not in students.values():
            done.new_students.append(row[0])
            continue
        for place, assignment in columns.items():
            value = row[place].strip()
            if re.fullmatch(r"-?[0-9.,]+%?", value):
                *whole, last = re.split(r"[,.]", value)
                value = f"{''.join(whole)}.{last}" if whole else last
            done.grades[f"{row[number_at]}/{assignment}"] = value
    return done


def moodle(
    sheet: bytes, participants: set[str], maximum: float, locked: frozenset[str] = frozenset()
) -> Import:
    """An upload of the worksheet to Moodle.

    - csv_import_reader::load_csv_content: a mark at the front and blanks at the end are taken
      off; a row with another number of cells than the header refuses the whole sheet.
    - assignfeedback_offline_grade_importer::init: without the columns Identifier, Grade and Last
      modified (grade) the whole sheet is refused.
    - ::next: the number behind "Participant" is looked up; a row that is nobody's is passed over.
    - process_import_grades: an empty grade, one below 0 or above the maximum, and one that is
      locked is passed over.
    """
    rows = [row for row in csv.reader(io.StringIO(sheet.decode("utf-8-sig"), newline="")) if row]
    header, *body = rows
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(header)
    assert all(len(row) == len(header) for row in body)
    done = Import()
    for row in body:
        number = row[header.index("Identifier")].removeprefix("Participant").strip()
        value = row[header.index("Grade")].strip()
        if number not in participants:
            done.new_students.append(number)
        elif value == "":
            continue
        elif number in locked or not 0 <= float(value) <= maximum:
            done.skipped.append(number)
        else:
            done.grades[number] = value
    return done
