"""What is taken from a zip, what is not, and that the reason is always said."""

import hashlib
import io
import stat
import struct
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import pytest
from zips import Entry, link, packed, patched, renamed, special, write_zip

from grader.collect import MOST_BYTES, MOST_FILES, Found, archives, collect
from grader.errors import UsageError
from grader.load import reading
from grader.types import Submission

WORK = b"x = 1\n"
ADA: Entry = ("ada/lstm.py", WORK)


def found(tmp_path: Path, content: bytes, name: str = "class.zip") -> Found:
    path = tmp_path / name
    path.write_bytes(content)
    return collect([path], "lstm")


def taken(each: Found) -> dict[str, list[str]]:
    return {one.student: [file.name for file in one.files] for one in each.submissions}


def test_a_zip_of_folders_holds_one_submission_each(tmp_path: Path) -> None:
    got = found(tmp_path, packed(ADA, ("bo/lstm.ipynb", b"{}"), ("bo/plots.py", WORK)))
    assert taken(got) == {"ada": ["lstm.py"], "bo": ["lstm.ipynb", "plots.py"]}
    assert got.submissions[0].files[0].content == WORK
    assert got.submissions[0].path.endswith("class.zip: ada")
    assert got.skipped == ()


def test_a_zip_of_files_holds_one_submission_each(tmp_path: Path) -> None:
    got = found(tmp_path, packed(("ada.py", WORK), ("bo.ipynb", b"{}"), ("essay.docx", b"")))
    assert taken(got) == {"ada": ["ada.py"], "bo": ["bo.ipynb"]}
    assert got.skipped == (f"{tmp_path}/class.zip: essay.docx: neither a notebook nor a module",)


@pytest.mark.parametrize(
    ("inside", "students"),
    [
        (["class/ada/lstm.py", "class/bo/lstm.py"], ["ada", "bo"]),
        (["hand-ins/ada/lstm.py", "hand-ins/bo/lstm.py"], ["ada", "bo"]),
        (["class/ada.py", "class/bo.py"], ["ada", "bo"]),
        (["ada/lstm.py"], ["ada"]),
        (["ada/week 3/lstm.py"], ["ada"]),
        (["lstm.py", "plots.py"], ["class"]),
    ],
)
def test_the_folder_that_was_packed_is_looked_through(
    inside: list[str], students: list[str], tmp_path: Path
) -> None:
    got = found(tmp_path, packed(*((name, WORK) for name in inside), ("__MACOSX/._x", b"")))
    assert sorted(taken(got)) == students


def test_the_same_marks_follow_from_a_zip_as_from_the_folder(tmp_path: Path) -> None:
    entries: list[Entry] = [ADA, ("bo.py", WORK), ("chi/deep/lstm.py", WORK), ("dee/a.pdf", b"")]
    for name, content in entries:
        (tmp_path / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / name).write_bytes(content)

    def content(each: Submission) -> tuple[object, ...]:
        return each.student, each.files

    folder = collect([tmp_path / "class"], "lstm")
    archive = found(tmp_path, packed(*entries))
    assert list(map(content, folder.submissions)) == list(map(content, archive.submissions))
    assert len(folder.skipped) == len(archive.skipped) == 1


def test_a_zip_in_a_folder_is_a_students(tmp_path: Path) -> None:
    write_zip(tmp_path / "ada.zip", ("hw3/lstm.py", WORK), ("hw3/plots.py", WORK))
    write_zip(tmp_path / "bo" / "handed-in.zip", ("lstm.py", WORK))
    got = collect([tmp_path], "lstm")
    assert taken(got) == {"ada": ["lstm.py", "plots.py"], "bo": ["lstm.py"]}
    assert got.skipped == ()


def test_a_zip_in_a_zip_is_a_students_and_one_in_that_is_not_read(tmp_path: Path) -> None:
    inner = packed(("lstm.py", WORK))
    deeper = packed(("more.zip", inner))
    got = found(tmp_path, packed(("ada.zip", inner), ("bo.zip", deeper), ("chi/x.zip", inner)))
    assert taken(got) == {"ada": ["lstm.py"], "bo": [], "chi": ["lstm.py"]}
    (line,) = got.skipped
    assert "bo.zip: more.zip: a zip within a zip within a zip" in line


def test_a_broken_zip_of_a_student_is_a_submission_without_files(tmp_path: Path) -> None:
    (tmp_path / "ada.zip").write_bytes(b"PK\x03\x04 cut off")
    (tmp_path / "bo.py").write_bytes(WORK)
    got = collect([tmp_path], "lstm")
    assert taken(got) == {"ada": [], "bo": ["bo.py"]}
    assert "expected a zip, got a broken one" in got.skipped[0]


HOSTILE = {
    "outside": (packed(("../../evil.py", WORK)), "leads outside"),
    "another name for a file": (packed(("eve/./tiny.py", WORK)), "a dot in it"),
    "outside, further in": (packed(("ada/../../evil.py", WORK)), "leads outside"),
    "absolute": (packed(("/etc/cron.d/evil.py", WORK)), "an absolute path"),
    "drive": (packed(("C:/evil.py", WORK)), "an absolute path"),
    "share": (packed(("//host/share/evil.py", WORK)), "an absolute path"),
    "backslash": (renamed(packed(("..x..x.py", WORK)), b"..x..x", b"..\\..\\"), "a backslash"),
    "zero byte": (renamed(packed(("evil.py.x", WORK), ADA), b".py.x", b".py\0x"), "a zero byte"),
    "no name": (packed(("./", b"")), "no name"),
    "long": (packed(("a" * 1001 + ".py", WORK)), "more than 1000 characters"),
    "deep": (packed(("a/" * 20 + "b.py", WORK)), "20 folders"),
    "link": (packed((link("evil.py"), b"/etc/passwd")), "a link"),
    "link to a folder": (packed((link("eve"), b"/etc"), ("eve/lstm.py", WORK)), "a link"),
    "fifo": (packed((special("evil.py", stat.S_IFIFO), b"")), "neither a file nor a folder"),
    "device": (packed((special("evil.py", stat.S_IFBLK), b"")), "neither a file nor a folder"),
    "folder with bytes": (packed((special("evil", stat.S_IFDIR), b"x")), "holds bytes"),
    "file and folder": (packed(("eve/a.py", WORK), ("eve", b"")), "a file and a folder"),
    "encrypted": (patched(packed(("evil.py", WORK)), [(8, b"\x01")]), "encrypted"),
    "strong encryption": (patched(packed(("evil.py", WORK)), [(8, b"\x41")]), "encrypted"),
    "other method": (patched(packed(("evil.py", WORK)), [(10, b"\x0e\0")]), "method 14"),
    "other name at the entry": (
        packed(("evil.py", WORK)).replace(b"evil.py", b"good.py", 1),
        "can't be unpacked",
    ),
    "wrong sum": (patched(packed(("evil.py", WORK)), [(16, b"\0\0\0\0")]), "can't be unpacked"),
    "size that lies low": (patched(packed(("evil.py", WORK)), [(24, b"\2\0\0\0")]), "can't be"),
    "packed size that lies": (patched(packed(("e.py", WORK)), [(20, b"\xff\xff\0\0")]), "run into"),
    "place that lies": (patched(packed(("evil.py", WORK)), [(42, b"\xff\xff\0\0")]), "run into"),
    "bomb": (packed(("evil.ipynb", bytes(30_000_000))), "more than 200 times"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_entry_is_left_out_and_said_and_the_others_are_taken(
    name: str, tmp_path: Path
) -> None:
    content, reason = HOSTILE[name]
    got = found(tmp_path, content if name == "zero byte" else _with(content, ADA))
    assert taken(got).pop("ada") == ["lstm.py"]
    assert all(file.content == WORK for each in got.submissions for file in each.files)
    assert any(reason in line for line in got.skipped), got.skipped
    assert [path.name for path in tmp_path.iterdir()] == ["class.zip"]


@pytest.mark.parametrize(
    ("twins", "kept"),
    [
        (["ada/lstm.py", "ada/LSTM.py"], "lstm.py"),
        (["ada/lstm.py", "ADA/lstm.py"], "lstm.py"),
        (["ada/ﬁ.py", "ada/FI.py"], "ﬁ.py"),
        (["ada/a\u200db.py", "ada/ab.py"], "a\u200db.py"),
    ],
)
def test_of_twins_the_first_is_taken_and_the_other_listed(
    twins: list[str], kept: str, tmp_path: Path
) -> None:
    got = found(tmp_path, packed(*((name, WORK) for name in twins)))
    assert taken(got) == {"ada": [kept]}
    (line,) = got.skipped
    assert "a twin of" in line and "came first" in line


def test_of_one_name_given_twice_the_last_is_taken_as_by_every_other_reader(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        same = packed(("김/lstm.py", b"old"), ("김/lstm.py", b"new"))
    apart = packed((unicodedata.normalize("NFD", "김/lstm.py"), b"old"), ("김/lstm.py", b"new"))
    for content in (same, apart):
        got = found(tmp_path, content)
        assert [file.content for file in got.submissions[0].files] == [b"new"]
        assert "a name that comes again" in got.skipped[0]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("김민준.py", "김민준"),
        (unicodedata.normalize("NFD", "김민준.py"), "김민준"),
        ("Zoë\u202e.py", "Zoë\ufffd"),
        ("a\nb\x1b[31m.py", "a\ufffdb\ufffd[31m"),
        ("=cmd|'x'!A1.py", "=cmd|'x'!A1"),
    ],
)
def test_names_are_made_legible(written: str, read: str, tmp_path: Path) -> None:
    assert list(taken(found(tmp_path, packed((written, WORK))))) == [read]


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("김민준.py".encode(), "김민준"),
        ("김민준.py".encode("cp949"), "김민준"),
        ("Bérénice.py".encode("cp437"), "Bérénice"),
    ],
)
def test_names_without_the_flag_for_utf8_are_read_as_they_were_meant(
    raw: bytes, read: str, tmp_path: Path
) -> None:
    content = renamed(packed(("x" * len(raw), WORK)), b"x" * len(raw), raw)
    assert list(taken(found(tmp_path, content))) == [read]


def test_what_tools_leave_is_passed_over_in_silence(tmp_path: Path) -> None:
    left = ["__MACOSX/ada/._lstm.py", ".DS_Store", "ada/.DS_Store", "ada/Thumbs.db", "desktop.ini"]
    got = found(tmp_path, packed(ADA, *((name, b"") for name in left)))
    assert taken(got) == {"ada": ["lstm.py"]}
    assert got.skipped == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip at all",
        packed(ADA)[:-30],
        packed(ADA).replace(b"PK\x01\x02", b"PK\x09\x09"),
        patched(packed(("ada/é.py", WORK)), [(46 + 4, b"\xff")]),
        patched(packed(ADA), [(6, b"\xff\0")]),
    ],
)
def test_a_broken_zip_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a zip, got a broken one.* @ .*unpack it"):
        found(tmp_path, content)


def test_a_zip_without_submissions_says_what_was_in_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found none in .*\n.*leads outside"):
        found(tmp_path, packed(("../evil.py", WORK)))


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_ENTRIES", 10)
    with pytest.raises(UsageError, match="at most 10 entries, got 11"):
        found(tmp_path, packed(*((f"{i}.py", WORK) for i in range(11))))


def test_a_table_of_contents_too_large_is_not_read(tmp_path: Path) -> None:
    records = b"PK\x01\x02" + bytes(42)
    table = records * (archives.MOST_DIRECTORY_BYTES // len(records) + 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(table), 0, 0)
    path = tmp_path / "class.zip"
    path.write_bytes(table + end)
    tracemalloc.start()
    with pytest.raises(UsageError, match="table of contents of"):
        collect([path], "lstm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_what_all_files_unpack_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED_BYTES", 10_000)
    noise = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(200))
    with pytest.raises(UsageError, match=r"at most 10000 bytes.*grade it in parts"):
        found(tmp_path, packed(("a.py", noise), ("b.py", noise)))
    # That of a zip in the zip comes off the same sum.
    with pytest.raises(UsageError, match=r"at most 10000 bytes"):
        found(tmp_path, packed(("a.zip", packed(("lstm.py", noise)))))


def test_of_a_huge_file_only_the_start_is_unpacked(tmp_path: Path) -> None:
    line = b"".join(hashlib.sha256(bytes([i])).hexdigest().encode() + b"\n" for i in range(256))
    content = packed(("ada.py", line * 400), ("bo.zip", packed(("lstm.py", line * 400))))
    path = tmp_path / "class.zip"
    path.write_bytes(content)
    got = collect([path], "lstm")
    assert {len(each.files[0].content) for each in got.submissions} == {MOST_BYTES[".py"] + 1}


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    zeros = bytes(60_000_000)
    inner = packed(("lstm.ipynb", zeros))
    path = tmp_path / "class.zip"
    path.write_bytes(packed(("ada.py", WORK), ("eve.ipynb", zeros), ("eva.zip", inner)))
    del zeros
    tracemalloc.start()
    got = collect([path], "lstm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken(got) == {"ada": ["ada.py"], "eve": [], "eva": []}
    assert peak < 1_000_000


def test_entries_that_share_their_bytes_are_left_out(tmp_path: Path) -> None:
    """The bomb of https://www.usenix.org/conference/woot19/presentation/fifield."""
    content = bytearray(packed(("a.py", WORK), ("b.py", WORK)))
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = bytes(4)
    got = found(tmp_path, _with(bytes(content), ADA))
    assert "ada" in taken(got)
    assert "its bytes run into another entry's" in "".join(got.skipped)


def _with(content: bytes, entry: Entry) -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(content), "a") as archive:
        archive.writestr(*entry)
    return buffer.getvalue()


def test_one_submission_has_so_many_files_and_the_assignments_own_comes_first(
    tmp_path: Path,
) -> None:
    many = [(f"ada/a{i}.py", WORK) for i in range(MOST_FILES + 2)]
    got = found(tmp_path, packed(*many, ADA))
    assert len(got.submissions[0].files) == MOST_FILES
    assert "lstm.py" in [file.name for file in got.submissions[0].files]
    assert len(got.skipped) == 3 and all(f"{MOST_FILES} files" in line for line in got.skipped)


def test_what_is_not_taken_of_a_students_folder_is_listed_in_one_line(tmp_path: Path) -> None:
    others = [f"ada/{i}.pdf" for i in range(9)] + ["ada/old/lstm.py", "ada/data.csv"]
    got = found(tmp_path, packed(ADA, *((name, b"") for name in others)))
    (line,) = got.skipped
    assert "ada: left aside: 0.pdf, 1.pdf" in line and line.endswith("and 5 more")


def test_two_files_of_one_name_in_a_students_folders_are_not_mixed_up(tmp_path: Path) -> None:
    got = found(tmp_path, packed(("a/1/lstm.py", b"1"), ("a/2/lstm.py", b"2"), ("b.py", WORK)))
    assert [file.content for file in got.submissions[0].files] == [b"1"]
    assert "a/2/lstm.py: another file of" in got.skipped[0]


def test_other_archives_are_named_as_such(tmp_path: Path) -> None:
    got = found(tmp_path, packed(ADA, ("bo.rar", b"Rar!"), ("chi.tar.gz", b"")))
    assert len(got.skipped) == 2 and all("unpack it, or pack it as .zip" in x for x in got.skipped)


def test_the_limits_are_those_of_the_loader() -> None:
    assert MOST_BYTES[".py"] == reading.MAX_MODULE_BYTES
    assert MOST_BYTES[".ipynb"] == reading.MAX_NOTEBOOK_BYTES


def test_one_submission_cannot_use_up_what_is_there_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_SUBMISSION_BYTES", 10_000)
    noise = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(200))
    zips = [(f"eve/{i}.zip", packed((f"a{i}.py", noise))) for i in range(4)]
    got = found(tmp_path, packed(("eva.zip", packed(("lstm.py", noise))), *zips, ("zoe.py", noise)))
    assert taken(got) == {"eva": [], "eve": [], "zoe": ["zoe.py"]}
    assert sum("more than 10000 bytes in one submission" in line for line in got.skipped) >= 4
