import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.reports.classroom import folder_of, folders

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)


@pytest.mark.parametrize(
    ("student", "folder"),
    [
        ("kim", "kim"),
        ("김민준", "김민준"),
        (unicodedata.normalize("NFD", "김민준"), "김민준"),
        ("Lee, Jun", "Lee, Jun"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "student"),
        ("", "student"),
        (" . ", "student"),
        ("a/b\\c:d", "a-b-c-d"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("LPT\u00b3", "_LPT\u00b3"),
        ("index.html", "_index.html"),
        ("Grades.csv", "_Grades.csv"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("a\u202eb\x00c", "abc"),
        ("tail. ", "tail"),
        ("a\ud800b", "ab"),
        (".git", "git"),
    ],
)
def test_a_folder_name_is_safe_and_keeps_hangul(student: str, folder: str) -> None:
    assert folder_of(student) == folder


@given(ANY_TEXT)
def test_every_folder_name_is_one_safe_path_part(student: str) -> None:
    name = folder_of(student)
    assert name
    assert not set('<>:"/\\|?*\0\n') & set(name)
    assert name not in (".", "..")
    assert name[-1] not in ". "
    assert name[0] not in "-~. "
    assert len(name.encode()) <= 130
    assert not {unicodedata.category(char) for char in name} & {"Cc", "Cf", "Cs"}


@given(st.lists(ANY_TEXT, max_size=12))
def test_no_two_students_share_a_folder_where_case_makes_no_difference(names: list[str]) -> None:
    given_names = [*names, *(name.upper() for name in names)]
    named = folders(given_names)
    assert named.keys() == set(given_names)
    folded = [unicodedata.normalize("NFC", folder).casefold() for folder in named.values()]
    assert len(set(folded)) == len(folded)


def test_whoever_has_the_folders_own_name_keeps_it_whatever_the_order() -> None:
    students = ["Kim", "kim", "KIM", "a/b", "a-b"]
    named = folders(students)
    assert named == folders(reversed(students))
    assert named["a-b"] == "a-b"
    assert named["a/b"].startswith("a-b-")
    assert len({name.casefold() for name in named.values()}) == 5


def test_a_name_made_to_meet_anothers_hash_does_not() -> None:
    first = folders(["Kim", "kim"])
    stolen = next(name for name in first.values() if "-" in name)
    named = folders(["Kim", "kim", stolen])
    assert len({name.casefold() for name in named.values()}) == 3
