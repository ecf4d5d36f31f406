"""Who is in the class, and who a name or a number stands for."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.roster import COLUMNS, Identity, Person, Roster, read_roster, turned

FULL = (
    "student,name,email,canvas_id,moodle_id,github,section\n"
    'ada,"Lovelace, Ada",ada@example.org,1001,57,ada-l,A\n'
    "김민준,김 민준,kim@example.org,1002,58,kim,B\n"
)


def roster(tmp_path: Path, text: str | bytes) -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_roster(path)


def test_the_columns_are_those_of_the_issue() -> None:
    assert COLUMNS == ("student", "name", "email", "canvas_id", "moodle_id", "github", "section")


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        "\ufeff" + FULL.replace("\n", "\r\n"),
        FULL.replace(",", ";").replace("Lovelace; Ada", "Lovelace, Ada"),
        FULL + ",,,,,,\n\n",
    ],
    ids=["plain", "as Excel writes it", "semicolons", "empty rows"],
)
def test_a_roster_is_read(text: str, tmp_path: Path) -> None:
    read = roster(tmp_path, text)
    assert [each.student for each in read.people] == ["ada", "김민준"]
    assert read.people[0] == Person(
        student="ada",
        name="Lovelace, Ada",
        email="ada@example.org",
        canvas_id="1001",
        moodle_id="57",
        github="ada-l",
        section="A",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nAda\n", "expected the column student"),
        ("student,canvas-id\nada,1\n", r"got 'canvas-id' @ .* line 1; did you mean 'canvas_id'"),
        ("student\nada\nada\n", "expected every student once, got 'ada' 2 times"),
        ("student,email\na,X@y.org\nb,x@y.org\n", "expected every email once"),
        ("student,name\nada\n", r"expected 2 cells, got 1 @ .* line 2"),
        ("student,name\n,Ada\n", r"in the column student, got none @ .* line 2"),
        ('student\n"ada\n', "expected CSV, got"),
        ("student\n김\n".encode("cp949"), "expected a roster in UTF-8"),
    ],
)
def test_a_roster_at_fault_is_refused_with_its_line(
    text: str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        roster(tmp_path, text)


def test_a_roster_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a roster, got No such file"):
        read_roster(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("who", "student"),
    [
        (Identity(key="x", canvas_id="1001"), "ada"),
        (Identity(key="x", email="KIM@example.org"), "김민준"),
        (Identity(key="x", github="Ada-L"), "ada"),
        (Identity(key="x", sis_id="ada"), "ada"),
        (Identity(key="ada"), "ada"),
        (Identity(key="kim"), "김민준"),
        (Identity(key="x", name="Ada Lovelace"), "ada"),
        (Identity(key="x", name="LOVELACE,  ADA"), "ada"),
        (Identity(key="x", moodle_id="58", anonymous=True), "김민준"),
        (Identity(key="x", moodle_id="58"), "김민준"),
        (Identity(key="x", name="Ada Lovelace", moodle_id="999"), "ada"),
        # A participant's number is another one in every assignment of Moodle's.
        (Identity(key="x", name="Somebody Else", moodle_id="58"), None),
        (Identity(key="x", canvas_id="1001", email="kim@example.org"), None),
        (Identity(key="nobody"), None),
        (Identity(key=""), None),
    ],
)
def test_what_is_unique_decides_and_a_contradiction_decides_nothing(
    who: Identity, student: str | None, tmp_path: Path
) -> None:
    person = roster(tmp_path, FULL).person(who)
    assert (person.student if person else None) == student


def test_a_full_name_that_two_share_is_nobodys() -> None:
    same = Roster((Person(student="a", name="Kim Min"), Person(student="b", name="Kim Min")))
    assert same.person(Identity(key="x", name="Kim Min")) is None


def test_who_handed_in_nothing_is_missing(tmp_path: Path) -> None:
    assert roster(tmp_path, FULL).missing(["ada", "somebody"]) == ("김민준",)


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300
) | st.sampled_from(['"', "a,b", "a\nb", "👩‍💻", "שלום", "\u202eabc", "김" * 300, "=1+1"])


@given(NAMES)
def test_any_name_in_quotes_is_read_as_it_is(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        quoted = name.replace('"', '""')
        (person,) = roster(Path(folder), f'student,name\nada,"{quoted}"\n').people
    assert person.name == name.strip()


@given(NAMES)
def test_any_full_name_is_found_either_way_round(name: str) -> None:
    person = Person(student="ada", name=name)
    known = Roster((person,))
    if name.strip():
        assert known.person(Identity(key="", name=name)) == person
    first, comma, _ = name.partition(",")
    if first.split() and not comma and len(name.split()) > 1:
        assert known.person(Identity(key="", name=turned(name))) == person
