"""What learning management systems hand out, and whose each hand-in is."""

import string
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zips import Entry, packed, write_zip

from grader.collect import Found, Receipt, collect
from grader.collect.lms import canvas, canvas_feedback, moodle, moodle_feedback
from grader.collect.trees import Contents, File
from grader.roster import Person, Roster

WORK = b"x = 1\n"
BOOK = b"{}"
CLASS = Roster(
    (
        Person(student="ada", name="Ada Lovelace", email="ada@example.org", canvas_id="1001",
               github="ada-l"),
        Person(student="김민준", name="김 민준", email="kim@example.org", canvas_id="1002",
               moodle_id="58", github="kim"),
        Person(student="zoe", name="Zoë O'Brien", email="zoe@example.org", canvas_id="1003"),
    )
)  # fmt: skip


def found(
    tmp_path: Path, *entries: Entry, roster: Roster | None = None, name: str = "all"
) -> Found:
    return collect([write_zip(tmp_path / f"{name}.zip", *entries)], "lstm", roster)


def taken(each: Found) -> dict[str, list[str]]:
    return {one.student: [file.name for file in one.files] for one in each.submissions}


CANVAS: tuple[Entry, ...] = (
    ("lovelaceada_1001_5001_lstm.ipynb", BOOK),
    ("lovelaceada_1001_5002_plots.py", WORK),
    ("민준김_LATE_1002_5003_lstm-1.py", WORK),
    ("obrienzoë_1003_5004_hw.zip", packed(("hw/lstm.py", WORK))),
    ("roejane_1009_text.html", b"<p>none</p>"),
)


def test_canvas_files_are_put_together_by_student(tmp_path: Path) -> None:
    """lib/content_zipper.rb, get_filename: name, LATE, user's id; add_upload_submission: file's id
    and name behind them; a file that is handed in again ends in -1.
    """
    got = found(tmp_path, *CANVAS, roster=CLASS)
    assert taken(got) == {
        "ada": ["lstm.ipynb", "plots.py"],
        "김민준": ["lstm.py"],
        "zoe": ["lstm.py"],
        "roejane_1009": [],
    }
    assert got.receipts == {"김민준": Receipt(late=True)}
    assert got.missing == ()
    assert len(got.unmapped) == 1 and got.unmapped[0].startswith("roejane_1009 (")
    assert any("text.html" in line for line in got.skipped)


def test_canvas_names_stay_the_same_without_a_roster(tmp_path: Path) -> None:
    got = found(tmp_path, *CANVAS)
    assert set(taken(got)) == {
        "lovelaceada_1001",
        "민준김_1002",
        "obrienzoë_1003",
        "roejane_1009",
    }
    assert got.unmapped == got.missing == ()


def test_canvas_hides_who_is_marked_anonymously(tmp_path: Path) -> None:
    """get_filename: "anon_" and an id of its own, after LATE and without a name."""
    got = found(
        tmp_path, ("anon_x7Kp2_5001_lstm.py", WORK), ("LATE_anon_9aBcD_5002_lstm.py", WORK),
        roster=CLASS,
    )  # fmt: skip
    assert set(taken(got)) == {"anon_x7Kp2", "anon_9aBcD"}
    assert got.receipts == {"anon_9aBcD": Receipt(late=True)}
    assert len(got.unmapped) == 2 and len(got.missing) == 3


def test_an_unpacked_download_is_read_like_the_zip(tmp_path: Path) -> None:
    for name, content in CANVAS:
        (tmp_path / str(name)).write_bytes(content)
    got = collect([tmp_path], "lstm", CLASS)
    assert set(taken(got)) == {"ada", "김민준", "zoe", "roejane_1009"}


@pytest.mark.parametrize("name", ["x_1002_1001_5001_lstm.py", "1002_1001_5001_lstm.py"])
def test_nobody_hands_in_for_another_by_a_number_in_their_own_name(
    name: str, tmp_path: Path
) -> None:
    """sanitize_user_name takes numbers only from between two "_", so one at the end stays."""
    got = found(tmp_path, (name, WORK), ("민준김_1002_5003_lstm.py", WORK), roster=CLASS)
    assert {each.student: each.path[-12:] for each in got.submissions}["김민준"] == "5003_lstm.py"
    assert "김민준 (2)" not in taken(got)


def test_a_file_whose_name_begins_with_a_number_is_its_owners(tmp_path: Path) -> None:
    got = found(tmp_path, ("lovelaceada_1001_5001_3_lstm.py", WORK), roster=CLASS)
    assert taken(got) == {"ada": ["3_lstm.py"]}
    assert got.unmapped == ()


def test_a_second_hand_in_of_one_student_is_listed(tmp_path: Path) -> None:
    (tmp_path / "ada.py").write_bytes(WORK)
    (tmp_path / "ada-l.py").write_bytes(WORK)
    got = collect([tmp_path], "lstm", CLASS)
    assert list(taken(got)) == ["ada", "ada (2)"]
    assert [line.partition(" (/")[0] for line in got.unmapped] == ["ada (2)"]


def test_both_versions_of_a_file_in_one_hand_in_keep_their_names(tmp_path: Path) -> None:
    files = ("a_1_5001_lstm.py", "a_1_5002_lstm-1.py")
    assert taken(found(tmp_path, *((name, WORK) for name in files))) == {
        "a_1": ["lstm-1.py", "lstm.py"]
    }


MOODLE: tuple[Entry, ...] = (
    ("Ada Lovelace_57_assignsubmission_file/lstm.ipynb", BOOK),
    ("Ada Lovelace_57_assignsubmission_file/more/plots.py", WORK),
    ("Ada Lovelace_57_assignsubmission_onlinetext/onlinetext.html", b"hello"),
    ("김 민준_58_assignsubmission_file_/lstm.py", WORK),
    ("Jane Roe_61_assignsubmission_onlinetext/onlinetext.html", b"no file"),
)


@pytest.mark.parametrize("flat", [False, True], ids=["folders", "flat"])
def test_moodle_folders_or_files_are_put_together_by_participant(
    flat: bool, tmp_path: Path
) -> None:
    """mod/assign/classes/downloader.php, get_student_prefix and load_submissionplugin_filelist:
    full name, number, assignsubmission and the plug-in, as a folder or before the file's name.
    """
    entries = [(str(name).replace("/more", ""), content) for name, content in MOODLE]
    if flat:
        entries = [(name.replace("_/", "_").replace("/", "_"), text) for name, text in entries]
    got = found(tmp_path, *entries, roster=CLASS)
    assert taken(got) == {
        "ada": ["lstm.ipynb", "plots.py"],
        "김민준": ["lstm.py"],
        "Jane Roe_61": [],
    }
    assert got.missing == ("zoe",)
    assert any("onlinetext.html" in line for line in got.skipped)


def test_moodle_numbers_of_another_assignment_give_nothing_to_somebody_else(
    tmp_path: Path,
) -> None:
    """assign::get_uniqueid_for_user gives everybody another number in every assignment."""
    got = found(
        tmp_path, ("Jane Roe_58_assignsubmission_file/lstm.py", WORK),
        ("Max Roe_57_assignsubmission_file/lstm.py", WORK), roster=CLASS,
    )  # fmt: skip
    assert list(taken(got)) == ["Jane Roe_58", "Max Roe_57"]


def test_moodle_hides_who_is_marked_blind(tmp_path: Path) -> None:
    """get_student_prefix: "Participant" takes the name's place."""
    entries = [(f"Participant_{n}_assignsubmission_file_/lstm.py", WORK) for n in (57, 58)]
    got = found(tmp_path, *entries, roster=CLASS)
    assert list(taken(got)) == ["Participant_57", "김민준"]


METADATA = """---
submission_301:
  :submitters:
  - :name: Ada Lovelace
    :sid: ada
    :email: ada@example.org
  - :name: 김 민준
    :sid: '2026-2'
    :email: kim@example.org
  :created_at: &1 2026-03-01 10:00:00.000000000 Z
  :score: 4.0
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
submission_302:
  :submitters: []
  :created_at: *1
submission_303:
  :submitters:
  - :name: Nobody Known
    :email: nobody@example.org
"""


def gradescope(metadata: str = METADATA) -> tuple[Entry, ...]:
    root = "assignment_9100_export"
    return (
        (f"{root}/submission_metadata.yml", metadata.encode()),
        (f"{root}/submission_301/lstm.ipynb", BOOK),
        (f"{root}/submission_302/lstm.py", WORK),
    )


def test_gradescope_submissions_are_everybodys_who_handed_them_in(tmp_path: Path) -> None:
    """Gradescope's export: submission_metadata.yml names, for each folder, :submitters with :name,
    :sid and :email, written by Ruby.
    """
    got = found(tmp_path, *gradescope(), roster=CLASS)
    assert taken(got) == {
        "ada": ["lstm.ipynb"],
        "김민준": ["lstm.ipynb"],
        "submission_302": ["lstm.py"],
    }
    assert got.receipts["ada"].together == got.receipts["김민준"].together == ("ada", "김민준")
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert [each.submitted_at for each in got.submissions] == [at, at, at]
    assert any("submission_303: no folder of that name" in line for line in got.skipped)
    assert got.missing == ("zoe",)


def test_gradescope_without_its_metadata_is_anonymous_and_all_there(tmp_path: Path) -> None:
    got = found(tmp_path, *gradescope()[1:], roster=CLASS)
    assert list(taken(got)) == ["submission_301", "submission_302"]
    assert len(got.unmapped) == 2


@pytest.mark.parametrize(
    "metadata", ["a: [", "- 1\n", "\xff\xfe", "x: !!python/object/apply:os.system ['true']"]
)
def test_metadata_that_is_none_is_said_and_nothing_is_lost(metadata: str, tmp_path: Path) -> None:
    got = found(tmp_path, *gradescope(metadata), roster=CLASS)
    assert len(got.submissions) == 2
    assert got.skipped or got.unmapped


def test_an_export_of_one_submission_is_looked_into(tmp_path: Path) -> None:
    got = found(tmp_path, *gradescope()[:2], roster=CLASS)
    assert list(taken(got)) == ["ada", "김민준"]


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), max_size=300
)


def file(name: str) -> File:
    return File(name=name, where=name, read=lambda limit: b"")


@given(name=NAMES, late=st.booleans(), number=st.integers(1, 10**9), rest=NAMES)
def test_whatever_somebody_is_called_canvas_file_names_give_the_number_back(
    name: str, late: bool, number: int, rest: str
) -> None:
    """sanitize_file_name keeps letters, digits and "_" of a name, sanitize_user_name no number
    between two of these."""
    kept = "".join(char for char in name.lower() if char.isalnum())
    if kept.isdecimal():
        kept = f"x{kept}"
    called = f"{kept}{'_LATE' if late else ''}_{number}_77_{rest}.py"
    (hand_in,) = canvas(Contents(files=(file(called),)), "lstm").hand_ins  # type: ignore[union-attr]
    assert hand_in.who[0].canvas_id == str(number)
    assert hand_in.receipt.late == late
    assert hand_in.contents.files[0].name == f"{rest}.py"
    ((who, back),) = canvas_feedback(Contents(files=(file(called),)), "report.html")
    assert who.canvas_id == str(number)
    # infer_comment_context_from_filename: the first two numbers between "_" are user and file.
    assert [part for part in back.split("_") if part.isdecimal()][-2:] == [str(number), "77"]


@given(name=NAMES, number=st.integers(1, 10**9), rest=NAMES.filter(bool))
def test_whatever_somebody_is_called_moodle_names_give_the_number_back(
    name: str, number: int, rest: str
) -> None:
    """assignfeedback_file_zip_importer::is_valid_filename_for_import splits at "_", five parts at
    most: the second is the number, the third and fourth the plug-in, the rest the file's name."""
    shown = name.replace("_", " ")
    called = f"{shown}_{number}_assignsubmission_file_{rest}"
    (hand_in,) = moodle(Contents(files=(file(called),))).hand_ins  # type: ignore[union-attr]
    assert hand_in.who[0].moodle_id == str(number)
    ((_, back),) = moodle_feedback(Contents(files=(file(called),)), "report.html")
    assert back.split("_", 4) == [shown, str(number), "assignsubmission", "file", "report.html"]


def test_a_class_of_plain_files_is_no_canvas_class(tmp_path: Path) -> None:
    names = [f"{letter}.py" for letter in string.ascii_lowercase[:5]] + ["x_1_2_3.py"]
    assert "x_1_2_3" in taken(found(tmp_path, *((name, WORK) for name in names)))
