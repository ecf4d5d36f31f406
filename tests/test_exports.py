"""Final marks, and the sheets of Canvas and Moodle with them filled in."""

import csv
import io
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import importers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.exports.canvas import fill_canvas
from grader.exports.marks import FinalMark, Why, final_mark, with_missing
from grader.exports.matching import Filled
from grader.exports.moodle import fill_moodle
from grader.exports.plain import COLUMNS, marks_csv
from grader.exports.sheet import read_sheet
from grader.roster import Person, Roster
from grader.types import Standing, Status

CLASS = Roster(
    (
        Person(student="ada", name="Ada Lovelace", email="ada@example.org", canvas_id="1001"),
        Person(student="김민준", name="김 민준", email="kim@example.org", canvas_id="1002"),
        Person(student="zoe", name="Zoë O'Brien", email="zoe@example.org", canvas_id="1003"),
        Person(student="lee", name="Jun Lee", email="lee@example.org", canvas_id="1004"),
    )
)
STUDENTS = {"1001": "Lovelace, Ada", "1002": "민준, 김", "1003": "O'Brien, Zoë", "1004": "Lee, Jun"}
ASSIGNMENTS = {"77": "LSTM", "78": "Attention, multi-head"}
CANVAS = (
    'Student,ID,SIS Login ID,Section,LSTM (77),"Attention, multi-head (78)",Final Score\r\n'
    ",,,,Manual Posting,,\r\n"
    "    Points Possible,,,,10,5,(read only)\r\n"
    '"Lovelace, Ada",1001,ada@example.org,"A, and B",,3,61.5\r\n'
    '"민준, 김",1002,kim@example.org,B,4.00,,\r\n'
    '"O\'Brien, Zoë ""Z""",1003,zoe@example.org,B,EX,,\r\n'
    '"Lee, Jun",1004,lee@example.org,B,N/A,,\r\n'
    '"Student, Test",1099,deadbeef,A,,,\r\n'
)
MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 57","Ada Lovelace",ada@example.org,"Submitted for grading - ",,10.00,Yes,'
    '"Monday, 2 March 2026, 10:00 AM",-,"<p>fine, ""really""</p>"\n'
    '"Participant 58","김 민준",kim@example.org,"No submission - ",3.00,10.00,Yes,-,-,\n'
    '"Participant 59","Zoë O\'Brien",zoe@example.org,"Submitted - ",,10.00,No,-,-,\n'
)


def mark(
    student: str, points: Fraction | int | None, why: Why = "", possible: int = 10
) -> FinalMark:
    value = None if points is None else Fraction(points)
    return FinalMark(student=student, points=value, possible=Fraction(possible), why=why)


def written(text: str | bytes, folder: Path, name: str = "sheet.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def canvas(
    folder: Path, *marks: FinalMark, text: str = CANVAS, roster: Roster = CLASS, **more: object
) -> Filled:
    titles = ("Long short-term memory", "lstm")
    return fill_canvas(written(text, folder), titles, marks, roster, **more)  # type: ignore[arg-type]


def moodle(
    folder: Path, *marks: FinalMark, text: str = MOODLE, roster: Roster = CLASS, **more: object
) -> Filled:
    return fill_moodle(written(text, folder), marks, roster, **more)  # type: ignore[arg-type]


def cells(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=delimiter))


# -- final marks ------------------------------------------------------------------------------


def standing(status: Status, earned: Fraction | int | None, pending: int = 0) -> Standing:
    points = None if earned is None else Fraction(earned)
    return Standing(
        student="ada",
        status=status,
        earned=points,
        possible=Fraction(13),
        pending=Fraction(pending),
        note="said",
    )


@pytest.mark.parametrize(
    ("where", "points", "why"),
    [
        (standing(Status.GRADED, 13), 13, ""),
        (standing(Status.GRADED, 13, 1), None, "pending"),
        (standing(Status.WITHHELD, None), None, "withheld"),
        (standing(Status.UNREADABLE, None), None, "unreadable"),
        (standing(Status.NOT_STARTED, 0, 1), 0, ""),
    ],
)
def test_what_has_no_final_mark_has_a_reason_and_no_number(
    where: Standing, points: int | None, why: str
) -> None:
    made = final_mark(where)
    assert (made.points, made.why, made.note) == (points, why, "said")
    assert made.possible == where.possible + where.pending


def test_a_mark_so_far_is_given_where_it_is_asked_for_and_a_withheld_one_never() -> None:
    assert final_mark(standing(Status.GRADED, 12, 1), so_far=True).points == 12
    assert final_mark(standing(Status.WITHHELD, None), so_far=True).points is None


def test_a_whole_mark_that_a_person_has_set_is_the_last_word() -> None:
    assert final_mark(standing(Status.GRADED, 9, 1), decided=True).points == 9
    assert final_mark(standing(Status.WITHHELD, 9), decided=True).points == 9


def test_points_stay_exact_until_they_are_written() -> None:
    assert final_mark(standing(Status.GRADED, Fraction(8, 3))).points == Fraction(8, 3)
    assert mark("ada", Fraction(10, 3)).out_of(Fraction(100)).points == Fraction(100, 3)


def test_who_is_in_the_roster_and_handed_in_nothing_is_missing() -> None:
    marks = with_missing([mark("ada", 3), mark("guest", 1)], CLASS)
    assert [(each.student, each.why) for each in marks][2:] == [
        ("김민준", "missing"),
        ("zoe", "missing"),
        ("lee", "missing"),
    ]


# -- Canvas -----------------------------------------------------------------------------------


def test_canvas_takes_the_marks_and_creates_nothing(tmp_path: Path) -> None:
    """By lib/gradebook_importer.rb: parse_assignments, process_student, process_submissions."""
    before = importers.canvas(CANVAS.encode(), STUDENTS | {"1099": "Student, Test"}, ASSIGNMENTS)
    done = canvas(tmp_path, mark("ada", Fraction(10, 3)), mark("김민준", Fraction(15, 2)))
    after = importers.canvas(done.content, STUDENTS | {"1099": "Student, Test"}, ASSIGNMENTS)
    assert after.new_students == after.new_assignments == []
    changed = {key for key in after.grades if after.grades[key] != before.grades[key]}
    assert changed == {"1001/77", "1002/77"}
    assert (after.grades["1001/77"], after.grades["1002/77"]) == ("3.33", "7.5")
    assert [(each.student, each.before, each.after) for each in done.changes] == [
        ("ada", "", "3.33"),
        ("김민준", "4.00", "7.5"),
    ]


def test_only_the_one_column_changes_byte_for_byte(tmp_path: Path) -> None:
    done = canvas(tmp_path, mark("ada", 3), mark("김민준", 5))
    there, back = CANVAS.encode().split(b"\r\n"), done.content.split(b"\r\n")
    assert back[3] == there[3].replace(b'and B",,3', b'and B",3,3')
    assert back[4] == there[4].replace(b",4.00,", b",5,")
    assert back[:3] == there[:3] and back[5:] == there[5:]


def test_a_mark_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    done = canvas(tmp_path, mark("김민준", 4))
    assert done.content == CANVAS.encode()
    assert done.unchanged == 1


def test_excused_and_not_assigned_stay_and_are_listed(tmp_path: Path) -> None:
    """GradebookExporter#csv_data writes "EX" for who is excused, "N/A" where not assigned."""
    done = canvas(tmp_path, mark("zoe", 3), mark("lee", 4))
    assert done.content == CANVAS.encode()
    assert any("excused in Canvas" in line for line in done.left)
    assert any("not assigned to this student" in line for line in done.left)


@pytest.mark.parametrize("why", ["withheld", "pending", "unreadable", "missing"])
def test_what_has_no_mark_stays_blank_and_is_listed(why: Why, tmp_path: Path) -> None:
    done = canvas(tmp_path, mark("ada", None, why), mark("김민준", None, why))
    assert done.content == CANVAS.encode()
    assert any(line.startswith("Lovelace, Ada: ") for line in done.left)
    assert any("the sheet keeps '4.00'" in line for line in done.left)


def test_whoever_has_no_row_is_listed_and_never_added(tmp_path: Path) -> None:
    """process_student makes a new user of a row that it does not know; so no row is added."""
    done = canvas(tmp_path, mark("nobody", 3))
    assert done.content == CANVAS.encode()
    assert "nobody: no row in the sheet is theirs; none was added" in done.left
    assert "Student, Test: no mark is known for this row" in done.left


def test_without_a_roster_the_name_of_the_download_tells_whose_row_it_is(tmp_path: Path) -> None:
    """ContentZipper names files sortablename_id; the same id is in the column ID."""
    marks = (mark("lovelaceada_1001", 3), mark("somebodyelse_1002", 9), mark("kim@example.org", 2))
    done = canvas(tmp_path, *marks, roster=Roster())
    assert [(each.student, each.after) for each in done.changes] == [
        ("lovelaceada_1001", "3"),
        ("kim@example.org", "2"),
    ]
    assert "somebodyelse_1002: no row in the sheet is theirs; none was added" in done.left


def test_two_rows_of_one_student_are_both_left(tmp_path: Path) -> None:
    twice = CANVAS + '"Lovelace, Ada",1001,ada@example.org,B,,,\r\n'
    done = canvas(tmp_path, mark("ada", 3), text=twice)
    assert done.content == twice.encode()
    assert sum("another row is ada's too" in line for line in done.left) == 2


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        (CANVAS.replace("LSTM (77)", "Week 3 (77)"), {}, "expected one assignment called"),
        (CANVAS.replace("LSTM (77)", "LSTM"), {}, "expected one assignment called"),
        (CANVAS, {"column": "Final Score"}, "name one with --column: 'LSTM \\(77\\)'"),
        (CANVAS.replace("10,5,", "(read only),5,"), {}, "a column that Canvas reads"),
        (CANVAS.replace("10,5,", ",5,"), {"scale": True}, "a row Points Possible with a number"),
        (CANVAS.replace("Section", "Sektion"), {}, "got none called 'Section'"),
        (CANVAS.replace("Student,ID", "Name,ID"), {}, "which begins with Student"),
        (CANVAS.replace(",B,4.00,,", ",B,4.00"), {}, "expected 7 cells, got 5 @ .* row 5"),
        (CANVAS + '"open', {}, "a quote in line 9 that is never closed"),
        ("", {}, "expected a CSV, got nothing"),
    ],
)
def test_a_sheet_that_canvas_would_misread_is_refused(
    text: str, more: dict[str, object], said: str, tmp_path: Path
) -> None:
    """A column without "Title (id)" is a new assignment to parse_assignments; readonly_assignment?
    passes over one whose row Points Possible says so.
    """
    with pytest.raises(UsageError, match=said):
        canvas(tmp_path, mark("ada", 3), text=text, **more)


@pytest.mark.parametrize("asked", ["78", "Attention, multi-head (78)", "attention, Multi-Head"])
def test_a_column_can_be_named_by_its_heading_title_or_number(asked: str, tmp_path: Path) -> None:
    assert canvas(tmp_path, mark("ada", 3), column=asked).column == "Attention, multi-head (78)"


def test_marks_are_converted_to_the_sheets_maximum_and_rounded_once(tmp_path: Path) -> None:
    # 2.004 of 6 is 3.34 of 10; rounded before, it would be 2 of 6 and so 3.33.
    done = canvas(tmp_path, mark("ada", Fraction("2.004"), possible=6), scale=True)
    assert done.changes[0].after == "3.34"


def test_a_sheet_with_semicolons_and_decimal_commas_and_names_apart_is_filled_in(
    tmp_path: Path,
) -> None:
    """identify_delimiter takes semicolons; decimal_comma_to_period either decimal mark."""
    text = (
        "\ufeffLastName;FirstName;ID;SIS User ID;SIS Login ID;Section;LSTM (77);Final Score\n"
        "    Points Possible;;;;;;10,00;(read only)\n"
        "Lovelace;Ada;1001;s1;ada@example.org;A;1,50;15,00\n"
    )
    done = canvas(tmp_path, mark("ada", Fraction(5, 2)), text=text)
    assert done.content.decode() == text.replace(";1,50;", ";2.5;")
    assert importers.canvas(done.content, STUDENTS, ASSIGNMENTS).grades == {"1001/77": "2.5"}
    assert canvas(tmp_path, mark("ada", Fraction(3, 2)), text=text).content.decode() == text


def test_a_sheet_that_a_spreadsheet_program_saved_in_its_own_encoding_is_refused(
    tmp_path: Path,
) -> None:
    path = written(CANVAS.replace("ë", "e").encode("cp949"), tmp_path)
    with pytest.raises(UsageError, match="expected a sheet in UTF-8, as it was downloaded"):
        fill_canvas(path, ("lstm",), [mark("ada", 3)], CLASS)


# -- Moodle -----------------------------------------------------------------------------------


def test_moodle_takes_the_marks_and_passes_nothing_over(tmp_path: Path) -> None:
    """By assignfeedback_offline_grade_importer::init and ::next, and process_import_grades."""
    done = moodle(tmp_path, mark("ada", Fraction(10, 3)), mark("김민준", Fraction(19, 3)))
    taken = importers.moodle(done.content, {"57", "58", "59"}, 10, frozenset({"59"}))
    assert taken.grades == {"57": "3.33", "58": "6.33"}
    assert taken.skipped == taken.new_students == []
    assert done.content.decode() == MOODLE.replace(
        '"Submitted for grading - ",,', '"Submitted for grading - ",3.33,'
    ).replace('"No submission - ",3.00,', '"No submission - ",6.33,')


def test_what_moodle_would_pass_over_in_silence_is_listed(tmp_path: Path) -> None:
    """process_import_grades skips a locked grade and one above the maximum without a word."""
    done = moodle(tmp_path, mark("zoe", 5), mark("ada", 11), mark("김민준", None, "withheld"))
    assert done.content == MOODLE.encode()
    told = "\n".join(done.left)
    assert "locked in Moodle" in told
    assert "11 is above the sheet's maximum 10" in told
    assert "the mark is withheld; the sheet keeps '3.00'" in told


def test_moodles_participants_without_a_roster_are_those_of_its_zip(tmp_path: Path) -> None:
    """downloader::get_student_prefix names a folder after full name and number in Identifier."""
    marks = (mark("Ada Lovelace_57", 4), mark("Somebody Else_58", 5))
    done = moodle(tmp_path, *marks, roster=Roster())
    assert [(each.student, each.after) for each in done.changes] == [("Ada Lovelace_57", "4")]


def test_blind_marking_goes_by_the_identifier(tmp_path: Path) -> None:
    """assign_grading_table: where marking is blind there is no full name, and Status comes next."""
    blind = (
        "Identifier,Status,Grade,Maximum Grade,Last modified (submission),Last modified (grade)\n"
        "Participant 57,Submitted,,10.00,-,-\nParticipant 58,Submitted,,10.00,-,-\n"
    )
    roster = Roster((Person(student="ada", name="Ada Lovelace", moodle_id="58"),))
    done = moodle(tmp_path, mark("ada", 4), mark("Participant_57", 3), text=blind, roster=roster)
    assert [(each.student, each.after) for each in done.changes] == [
        ("Participant_57", "3"),
        ("ada", "4"),
    ]


def test_a_worksheet_in_another_language_needs_the_grades_heading_only(tmp_path: Path) -> None:
    korean = MOODLE.replace("Identifier", "식별자").replace(",Grade,", ",성적,")
    korean = korean.replace("Participant", "참여자").replace('"Full name"', "성명")
    with pytest.raises(UsageError, match="got none called 'Grade'"):
        moodle(tmp_path, mark("ada", 4), text=korean)
    done = moodle(tmp_path, mark("ada", 4), text=korean, column="성적")
    assert [each.student for each in done.changes] == ["ada"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MOODLE.replace("Participant", ""), "expected a column of identifiers"),
        (MOODLE.replace(",Status,", ",Grade,"), "expected one column 'Grade', got several"),
        (MOODLE + "Participant 60,x\n", "expected 10 cells, got 2"),
    ],
)
def test_a_worksheet_that_moodle_would_refuse_is_refused(
    text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        moodle(tmp_path, mark("ada", 4), text=text)


# -- any name, any number ---------------------------------------------------------------------

NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300
) | st.sampled_from(
    [
        "Lovelace, Ada",
        'O"Brien, "Zoë"',
        "a\nb, c\r\nd",
        "김, 민준",
        "👩‍💻👨‍👩‍👧, 🎓",
        "\u202eesrever, שלום",
        "محمد",
        "김" * 300,
        '=HYPERLINK("http://x")',
        "Points, Manual Posting",
    ]
)
POINTS = st.fractions(0, 1000, max_denominator=997)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@given(
    names=st.lists(NAMES, min_size=1, max_size=6),
    points=st.lists(POINTS, min_size=6, max_size=6),
    delimiter=st.sampled_from(",;"),
    line=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_whatever_people_are_called_only_their_cells_change(
    names: list[str], points: list[Fraction], delimiter: str, line: str, last: bool
) -> None:
    header = ["Student", "ID", "SIS Login ID", "Section", "LSTM (77)", "Other (78)"]
    rows = [
        [quoted(f"x{name}"), str(index + 1), "", quoted(name), "", quoted(name)]
        for index, name in enumerate(names)
    ]
    text = line.join(delimiter.join(row) for row in [header, *rows]) + (line if last else "")
    roster = Roster(tuple(Person(student=f"s{i}", canvas_id=str(i + 1)) for i in range(len(names))))
    marks = [mark(f"s{i}", points[i]) for i in range(len(names))]
    with tempfile.TemporaryDirectory() as folder:
        done = canvas(Path(folder), *marks, text=text, roster=roster)
        untouched = canvas(Path(folder), text=text, roster=roster)
    assert untouched.content == text.encode()
    assert len(done.changes) == len(names)
    before, after = cells(text.encode(), delimiter), cells(done.content, delimiter)
    for index, (old, new) in enumerate(zip(before[1:], after[1:], strict=True)):
        assert abs(Fraction(new[4]) - points[index]) <= Fraction(1, 200)
        assert new[:4] + new[5:] == old[:4] + old[5:]
    assert importers.canvas(done.content, roster_ids(roster), ASSIGNMENTS).new_students == []


@given(
    names=st.lists(NAMES, min_size=1, max_size=6),
    points=st.lists(POINTS, min_size=6, max_size=6),
)
def test_whatever_people_are_called_in_moodle_only_their_grades_change(
    names: list[str], points: list[Fraction]
) -> None:
    header = ["Identifier", '"Full name"', '"Email address"', "Status", "Grade"]
    header += ['"Maximum Grade"', '"Last modified (grade)"', '"Feedback comments"']
    rows = [
        [
            *(f'"Participant {number}"', quoted(name), f"s{number}@example.org"),
            *("-", "", "1000.00", "-", quoted(name)),
        ]
        for number, name in enumerate(names)
    ]
    text = "".join(",".join(row) + "\n" for row in [header, *rows])
    people = tuple(
        Person(student=f"s{number}", email=f"s{number}@example.org") for number in range(len(names))
    )
    marks = [mark(f"s{number}", points[number]) for number in range(len(names))]
    with tempfile.TemporaryDirectory() as folder:
        done = moodle(Path(folder), *marks, text=text, roster=Roster(people))
    before, after = cells(text.encode()), cells(done.content)
    for number, (old, new) in enumerate(zip(before[1:], after[1:], strict=True)):
        assert abs(Fraction(new[4]) - points[number]) <= Fraction(1, 200)
        assert new[:4] + new[5:] == old[:4] + old[5:]
    numbers = {str(number) for number in range(len(names))}
    assert set(importers.moodle(done.content, numbers, 1000).grades) == numbers


def roster_ids(roster: Roster) -> dict[str, str]:
    return {person.canvas_id: person.student for person in roster.people}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_sheet_that_is_read_and_written_unchanged_is_the_same(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(text, Path(folder))
        try:
            sheet = read_sheet(path, ())
        except UsageError:
            return
    assert sheet.filled({}) == text.encode()
    for row in sheet.rows:
        for cell in row:
            raw = text[cell.start : cell.end]
            assert cell.value == (raw[1:-1].replace('""', '"') if raw.startswith('"') else raw)


@given(POINTS)
def test_points_are_rounded_half_up_to_two_decimals(points: Fraction) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = canvas(Path(folder), mark("ada", points))
    (change,) = done.changes
    hundredths = points * 100
    floor = hundredths.numerator // hundredths.denominator
    expected = floor + (1 if hundredths - floor >= Fraction(1, 2) else 0)
    assert Fraction(change.after) * 100 == expected


# -- a CSV of our own -------------------------------------------------------------------------


def test_our_own_csv_has_everybody_with_the_reason(tmp_path: Path) -> None:
    marks = with_missing([mark("ada", Fraction(10, 3)), mark("zoe", None, "withheld")], CLASS)
    rows = list(csv.DictReader(io.StringIO(marks_csv(marks, CLASS))))
    assert tuple(rows[0]) == COLUMNS
    told = {row["student"]: (row["points"], row["status"], row["email"]) for row in rows}
    assert told["ada"] == ("3.33", "final", "ada@example.org")
    assert told["zoe"] == ("", "withheld", "zoe@example.org")
    assert told["김민준"] == ("", "missing", "kim@example.org")


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_no_cell_of_our_own_csv_is_a_formula(names: list[str]) -> None:
    people = tuple(Person(student=f"{name}!", name=name, section=name) for name in names)
    marks: Iterable[FinalMark] = [mark(person.student, 1) for person in people]
    for row in csv.reader(io.StringIO(marks_csv(marks, Roster(people)))):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
        assert not any("\n" in cell or "\r" in cell for cell in row)
