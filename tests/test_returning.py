"""Reports on their way back to students."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repositories import commit, made_repository, run_git
from sample_grades import complete, failing, passing, withheld
from zips import Entry, write_zip

from grader.collect.lms import moodle_name
from grader.errors import UsageError
from grader.fetching import Remote
from grader.instructor import write_class, write_student
from grader.reports.folders import folder_of, folders
from grader.returning import (
    download_names,
    push_report,
    read_reports,
    to_branches,
    to_folder,
    to_zip,
)
from grader.roster import Identity, Person, Roster
from grader.types import Grade

CLASS = Roster(
    (
        Person(student="ada", name="Ada Lovelace", canvas_id="1001"),
        Person(student="김민준", name="김 민준", canvas_id="1002"),
    )
)


def results(folder: Path, *grades: Grade) -> Path:
    """A folder as `grader grade` leaves it."""
    named = folders(each.student for each in grades)
    for each in grades:
        write_student(folder / named[each.student], each, "en")
    write_class(folder, grades, "en")
    return folder


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    return results(tmp_path / "results", failing("ada"), complete("김민준"), withheld("zoe"))


def changed(graded: Path) -> None:
    """Ada's mark is another one now."""
    results(graded, passing("ada"), complete("김민준"), withheld("zoe"))


def test_what_goes_out_is_made_from_the_redacted_view_alone(graded: Path) -> None:
    (graded / "ada" / "report.html").write_text("what somebody put here")
    (graded / "index.html").write_text("the class")
    reports, left = read_reports(graded, "ko")
    assert [each.student for each in reports] == ["ada", "김민준"]
    assert left == ("zoe: the mark is withheld",)
    page = reports[0].page.decode()
    assert '<html lang="ko"' in page and "what somebody put here" not in page
    assert "secret-sizes" not in page + reports[0].text.decode()


def test_a_view_with_anything_more_in_it_is_not_sent(graded: Path) -> None:
    path = graded / "ada" / "grade.json"
    path.write_text(path.read_text("utf-8").replace("{", '{"expected": [1.0],', 1), "utf-8")
    with pytest.raises(UsageError, match="expected a student's grade, got ValidationError"):
        read_reports(graded, "en")


def test_a_folder_holds_each_students_report_and_nothing_else(graded: Path, tmp_path: Path) -> None:
    reports, _ = read_reports(graded, "en")
    done = to_folder(graded, reports, tmp_path / "out", dry_run=False)
    assert done.sent == ("ada", "김민준")
    found = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")
    )
    assert found == ["ada", "ada/report.html", "김민준", "김민준/report.html"]


def test_an_unchanged_report_is_not_sent_twice(graded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = to_folder(graded, read_reports(graded, "en")[0], out, dry_run=False)
    again = to_folder(graded, read_reports(graded, "en")[0], out, dry_run=False)
    assert (first.sent, again.sent, again.unchanged) == (("ada", "김민준"), (), ("ada", "김민준"))
    changed(graded)
    third = to_folder(graded, read_reports(graded, "en")[0], out, dry_run=False)
    assert (third.sent, third.unchanged) == (("ada",), ("김민준",))
    forced = to_folder(graded, read_reports(graded, "en")[0], out, dry_run=False, again=True)
    assert forced.sent == ("ada", "김민준")
    elsewhere = to_folder(graded, read_reports(graded, "en")[0], tmp_path / "b", dry_run=True)
    assert elsewhere.sent == ("ada", "김민준")


def test_what_a_mark_rests_on_alone_makes_no_new_report(graded: Path) -> None:
    ada = failing("ada")
    assert ada.provenance is not None
    before = read_reports(graded, "en")[0]
    newer = replace(ada, provenance=replace(ada.provenance, engine="9.9", key="f" * 64))
    results(graded, newer, complete("김민준"))
    after = read_reports(graded, "en")[0]
    assert [each.digest for each in before] == [each.digest for each in after]


def test_a_dry_run_writes_nothing(graded: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()}
    reports, _ = read_reports(graded, "en")
    to_folder(graded, reports, tmp_path / "out", dry_run=True)
    names = ((Identity(key="ada"), "a_1_2_report.html"),)
    to_zip(graded, reports, names, CLASS, tmp_path / "x.zip", "canvas", dry_run=True)
    remote = Remote(person=CLASS.people[0], url=str(tmp_path / "none"), branch="", folder="")
    done = to_branches(graded, reports, [remote], "grader/lstm", dry_run=True)
    assert done.sent == ("ada",)
    assert {path: path.read_bytes() for path in graded.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "out").exists() and not (tmp_path / "x.zip").exists()


# -- Canvas and Moodle ------------------------------------------------------------------------

CANVAS: tuple[Entry, ...] = (
    ("lovelaceada_1001_5001_lstm.ipynb", b"{}"),
    ("lovelaceada_1001_5002_more.py", b""),
    ("민준김_LATE_1002_5003_lstm.py", b""),
    ("roejane_1009_text.html", b""),
)
MOODLE: tuple[Entry, ...] = (
    ("Ada Lovelace_57_assignsubmission_file/lstm.ipynb", b"{}"),
    ("Ada Lovelace_57_assignsubmission_onlinetext/onlinetext.html", b""),
    ("김 민준_58_assignsubmission_file/lstm.py", b""),
)


def packed(graded: Path, download: Path, way: str, out: Path) -> dict[str, bytes]:
    reports, _ = read_reports(graded, "en")
    to_zip(graded, reports, download_names(download, way), CLASS, out, way, dry_run=False)
    if not out.exists():
        return {}
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_canvas_finds_student_and_hand_in_by_the_files_name(graded: Path, tmp_path: Path) -> None:
    """app/models/assignment.rb, infer_comment_context_from_filename: the name is split at "_", the
    first two pieces that are numbers are the student's and a handed-in file's; no file, no comment;
    a last piece that starts with "link" is none.
    """
    files = packed(graded, write_zip(tmp_path / "all.zip", *CANVAS), "canvas", tmp_path / "f.zip")
    assert set(files) == {
        "lovelaceada_1001_5001_report.html",
        "민준김_LATE_1002_5003_report.html",
    }
    for name in files:
        numbers = [part for part in name.split("_") if part.isdecimal()][:2]
        assert numbers in (["1001", "5001"], ["1002", "5003"])
        assert not name.split("_")[-1].startswith("link")
    assert files["lovelaceada_1001_5001_report.html"].startswith(b"<!doctype html>")


def found_by_moodle(name: str) -> tuple[int, str] | None:
    """mod/assign/feedback/file/importziplib.php, is_valid_filename_for_import, in our own words:
    hidden files are passed over; a part of the path is split at "_", into five at most; with four
    and a number as the second it is the participant's, and what is left is the file's name.
    """
    if name.rpartition("/")[2][:1] in (".", "~"):
        return None
    parts = name.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) < 4 or not info[1].isdecimal():
            continue
        if (info[2], info[3]) != ("assignsubmission", "file"):
            continue
        return int(info[1]), "/".join([*info[4:], *parts])
    return None


def test_moodle_finds_the_participant_by_the_files_name(graded: Path, tmp_path: Path) -> None:
    files = packed(graded, write_zip(tmp_path / "all.zip", *MOODLE), "moodle", tmp_path / "f.zip")
    assert {found_by_moodle(name) for name in files} == {(57, "report.html"), (58, "report.html")}


def test_moodles_worksheet_tells_the_numbers_too(graded: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "grades.csv"
    sheet.write_text(
        "Identifier,Full name,Status,Grade\nParticipant 57,Ada Lovelace,-,\n"
        "Participant 58,김 민준,-,\nParticipant 60,Jo_Anne / Roe,-,\n",
        "utf-8",
    )
    files = packed(graded, sheet, "moodle", tmp_path / "f.zip")
    assert {found_by_moodle(name) for name in files} == {(57, "report.html"), (58, "report.html")}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300), st.integers(1, 10**9))
def test_whatever_somebody_is_called_moodle_finds_them(name: str, number: int) -> None:
    assert found_by_moodle(moodle_name(folder_of(name), str(number), "report.html")) == (
        number,
        "report.html",
    )


def test_whoever_is_not_in_the_download_is_listed(graded: Path, tmp_path: Path) -> None:
    reports, _ = read_reports(graded, "en")
    download = write_zip(tmp_path / "all.zip", *CANVAS[:2])
    names = download_names(download, "canvas")
    done = to_zip(graded, reports, names, CLASS, tmp_path / "f.zip", "canvas", dry_run=False)
    assert done.sent == ("ada",)
    assert done.left == ("김민준: not in the download, so nobody to send it to",)


def test_a_zip_without_anything_new_is_not_written(graded: Path, tmp_path: Path) -> None:
    download = write_zip(tmp_path / "all.zip", *CANVAS)
    assert len(packed(graded, download, "canvas", tmp_path / "first.zip")) == 2
    assert packed(graded, download, "canvas", tmp_path / "second.zip") == {}
    changed(graded)
    assert len(packed(graded, download, "canvas", tmp_path / "third.zip")) == 1


@pytest.mark.parametrize("way", ["canvas", "moodle"])
def test_a_zip_of_something_else_is_refused(way: str, tmp_path: Path) -> None:
    download = write_zip(tmp_path / "all.zip", ("ada/lstm.py", b""))
    with pytest.raises(UsageError, match=f"that {way.capitalize()} packed, got no file"):
        download_names(download, way)


# -- a branch of a repository -----------------------------------------------------------------


def hosted(tmp_path: Path, *students: str) -> list[Remote]:
    remotes = []
    for student in students:
        bare = tmp_path / "host" / f"{student}.git"
        made_repository(tmp_path / "home" / student, {"lstm.py": "x = 1\n"})
        run_git(tmp_path, "clone", "-q", "--bare", str(tmp_path / "home" / student), str(bare))
        remotes.append(Remote(person=Person(student=student), url=str(bare), branch="", folder=""))
    return remotes


def shown(remote: Remote, name: str, branch: str = "grader/lstm") -> str:
    return run_git(Path(remote.url), "show", f"{branch}:{name}")


def test_a_report_is_pushed_to_a_branch_of_its_own(graded: Path, tmp_path: Path) -> None:
    everyone = hosted(tmp_path, "ada", "김민준")
    before = run_git(Path(everyone[0].url), "rev-parse", "main")
    reports, _ = read_reports(graded, "en")
    done = to_branches(graded, reports, everyone, "grader/lstm", dry_run=False)
    assert (done.sent, done.left) == (("ada", "김민준"), ())
    listed = run_git(Path(everyone[0].url), "ls-tree", "-r", "--name-only", "grader/lstm")
    assert listed.split() == ["report.html", "report.md"]
    assert shown(everyone[0], "report.md").startswith("# Multi-head attention")
    assert run_git(Path(everyone[0].url), "rev-parse", "main") == before
    again = to_branches(graded, reports, everyone, "grader/lstm", dry_run=False)
    assert (again.sent, again.unchanged) == ((), ("ada", "김민준"))


def test_a_new_report_lies_on_top_of_the_one_before(graded: Path, tmp_path: Path) -> None:
    (remote,) = hosted(tmp_path, "ada")
    for _ in range(2):
        reports, _ = read_reports(graded, "en")
        to_branches(graded, reports[:1], [remote], "grader/lstm", dry_run=False)
        changed(graded)
    log = run_git(Path(remote.url), "log", "--format=%an", "grader/lstm").split("\n")
    assert log == ["grader", "grader"]
    assert push_report(remote, read_reports(graded, "en")[0][0], "grader/lstm") is False


def test_a_push_that_fails_is_listed_and_tried_again_next_time(
    graded: Path, tmp_path: Path
) -> None:
    everyone = hosted(tmp_path, "ada", "김민준")
    reports, _ = read_reports(graded, "en")
    gone = [replace(everyone[0], url=str(tmp_path / "gone.git")), everyone[1]]
    done = to_branches(graded, reports, gone, "grader/lstm", dry_run=False)
    assert done.sent == ("김민준",)
    assert len(done.left) == 1 and done.left[0].startswith("ada: fatal: ")
    later = to_branches(graded, reports, everyone, "grader/lstm", dry_run=False)
    assert (later.sent, later.unchanged) == (("ada",), ("김민준",))


def test_a_branch_that_moved_meanwhile_is_not_overwritten(graded: Path, tmp_path: Path) -> None:
    (remote,) = hosted(tmp_path, "ada")
    home = tmp_path / "home" / "ada"
    run_git(home, "checkout", "-q", "-b", "grader/lstm")
    kept = commit(home, {"mine.txt": "a student's own\n"})
    run_git(home, "push", "-q", remote.url, "grader/lstm")
    reports, _ = read_reports(graded, "en")
    to_branches(graded, reports[:1], [remote], "grader/lstm", dry_run=False)
    assert kept in run_git(Path(remote.url), "log", "--format=%H", "grader/lstm")


def test_a_repository_that_several_share_is_refused(graded: Path, tmp_path: Path) -> None:
    one, other = hosted(tmp_path, "ada", "김민준")
    reports, _ = read_reports(graded, "en")
    with pytest.raises(UsageError, match="a repository of each student's own"):
        to_branches(graded, reports, [one, replace(other, url=one.url)], "b", dry_run=False)


def test_whoever_has_no_repository_is_listed(graded: Path, tmp_path: Path) -> None:
    reports, _ = read_reports(graded, "en")
    done = to_branches(graded, reports, hosted(tmp_path, "ada"), "grader/lstm", dry_run=False)
    assert done.left == ("김민준: the roster says no repository",)
