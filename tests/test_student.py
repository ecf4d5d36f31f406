"""What a student's own check says, in a folder with nothing but what was handed out."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tiny_course import RIGHT, WRONG, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, release, write
from grader.course import Settings
from grader.errors import CourseError, UsageError
from grader.packing import place
from grader.reports.asked import first_calls
from grader.reports.terminal import check_report
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.student import Public, check, look_for_newer, public_part, stamp
from grader.types import Note, Status, Verdict


@pytest.fixture
def folder(tmp_path: Path, runner: Runner) -> Path:
    """A released folder, far from any course."""
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    files = hand_out(release(assignment, "secret", runner), assignment, Settings())
    place(files, "tiny", tmp_path / "home" / "tiny")
    return tmp_path / "home" / "tiny"


def test_a_right_file_passes_all_that_is_public(folder: Path, runner: Runner) -> None:
    (folder / "tiny.py").write_text(RIGHT)
    checked = check(None, None, folder, runner)
    assert checked.passed
    assert (checked.grade.earned, checked.grade.possible) == (6, 6)
    assert checked.grade.pending * 2 == 1


def test_a_wrong_file_fails_with_the_evidence(folder: Path, runner: Runner) -> None:
    (folder / "tiny.py").write_text(WRONG)
    checked = check(folder / "tiny.py", None, folder, runner)
    assert not checked.passed
    (value,) = [each for each in checked.grade.criteria if each.id == "value"]
    assert value.verdict is Verdict.FAIL
    assert {"expected", "got", "allowed"} <= set(value.findings[0].facts)


def test_what_is_extra_is_not_needed_and_makes_up_for_nothing(
    tmp_path: Path, runner: Runner
) -> None:
    course = make_course(tmp_path / "course")
    rubric = course / "rubrics" / "tiny.yaml"
    text = rubric.read_text("utf-8").replace("points: 3, title", "points: 3, bonus: true, title")
    rubric.write_text(text, "utf-8")
    assignment = read_assignment(course, "tiny")
    home = tmp_path / "home" / "tiny"
    place(hand_out(release(assignment, "secret", runner), assignment, Settings()), "tiny", home)
    (home / "tiny.py").write_text(RIGHT.partition("class")[0])
    assert check(None, None, home, runner).passed
    (home / "tiny.py").write_text(WRONG)
    checked = check(None, None, home, runner)
    assert not checked.passed and checked.grade.earned == 4  # 1 and 3 extra, of 3


def test_an_untouched_folder_is_not_started(folder: Path, runner: Runner) -> None:
    assert check(None, None, folder, runner).grade.status is Status.NOT_STARTED


def test_the_file_that_was_changed_is_checked(folder: Path, runner: Runner) -> None:
    notebook = folder / "tiny.ipynb"
    text = notebook.read_text("utf-8")
    assert text.count("raise NotImplementedError") == 2
    text = text.replace("raise NotImplementedError", "return x * 2", 1)
    notebook.write_text(
        text.replace("raise NotImplementedError", "return x * self.factor"), "utf-8"
    )
    checked = check(None, None, folder, runner)
    assert (checked.grade.file, checked.passed) == ("tiny.ipynb", True)


def test_two_changed_files_are_asked_about(folder: Path, runner: Runner) -> None:
    (folder / "tiny.py").write_text(RIGHT)
    notebook = folder / "tiny.ipynb"
    text = notebook.read_text("utf-8")
    notebook.write_text(text.replace("raise NotImplementedError", "return x * 3"), "utf-8")
    with pytest.raises(UsageError, match=r"tiny\.py and tiny\.ipynb|tiny\.ipynb and tiny\.py"):
        check(None, None, folder, runner)
    assert check(folder / "tiny.py", None, folder, runner).passed


def test_within_a_course_the_assignment_can_be_named(
    tmp_path: Path, folder: Path, runner: Runner
) -> None:
    course = tmp_path / "course"
    assignment = read_assignment(course, "tiny")
    write(release(assignment, "secret", runner), assignment)
    elsewhere = course / "mine.py"
    elsewhere.write_text(RIGHT)
    assert check(elsewhere, "tiny", course, runner).passed
    with pytest.raises(UsageError, match="--assignment"):
        check(elsewhere, None, course, runner)


def test_no_such_file_is_refused(folder: Path, runner: Runner) -> None:
    with pytest.raises(UsageError, match="nothing at"):
        check(folder / "nowhere.py", None, folder, runner)


def test_a_folder_without_public_cases_is_refused(tmp_path: Path, runner: Runner) -> None:
    with pytest.raises(UsageError, match=r"public\.json"):
        check(None, None, tmp_path, runner)


def test_a_folder_without_the_file_is_refused(folder: Path, runner: Runner) -> None:
    for name in ("tiny.py", "tiny.ipynb"):
        (folder / name).unlink()
    with pytest.raises(UsageError, match=r"expected tiny\.py or tiny\.ipynb"):
        check(None, None, folder, runner)


def test_a_damaged_bundle_is_refused(folder: Path, runner: Runner) -> None:
    (folder / "public.json").write_text("{")
    with pytest.raises(CourseError, match="fetch"):
        check(None, None, folder, runner)


def test_a_file_elsewhere_is_checked_with_the_course_one_stands_in_or_names(
    tmp_path: Path, folder: Path, runner: Runner
) -> None:
    course = tmp_path / "course"
    assignment = read_assignment(course, "tiny")
    write(release(assignment, "secret", runner), assignment)
    mine = tmp_path / "desk" / "mine.py"
    mine.parent.mkdir()
    mine.write_text(RIGHT)
    assert check(mine, "tiny", course, runner).passed
    assert check(mine, "tiny", tmp_path, runner, course).passed
    with pytest.raises(UsageError, match="expected a course"):
        check(mine, "tiny", tmp_path, runner, mine.parent)


def test_what_was_called_is_there_for_every_public_case(folder: Path, runner: Runner) -> None:
    (folder / "tiny.py").write_text(WRONG)
    checked = check(None, None, folder, runner)
    calls = first_calls(checked.asked)
    assert set(calls) == {"seen", "scale"}
    assert calls["scale"].startswith("Scale(size=3)(x=[[")
    report = io.StringIO()
    view = student_view(checked.grade)
    Console(file=report, width=200).print(check_report(view, "en", calls))
    assert f"In case seen this was called: {calls['seen']}" in report.getvalue()
    assert "grader replay seen" in report.getvalue()


def test_a_folder_that_is_not_the_newest_is_named(tmp_path: Path, runner: Runner) -> None:
    course = make_course(tmp_path / "course")
    assignment = read_assignment(course, "tiny")
    released = release(assignment, "s", runner)
    write(released, assignment)
    home = course / "work" / "tiny"
    place(hand_out(released, assignment, Settings()), "tiny", home)
    (home / "tiny.py").write_text(RIGHT)
    assert not newer(home)
    (assignment.folder / "README.md").write_text("# Clearer\n")
    (note,) = newer(home)
    assert note.code == "student.older" and note.facts["mine"] != note.facts["theirs"]


def newer(home: Path) -> list[Note]:
    """What is said of a folder's version; asked for in this thread."""
    public = Public(folder=home, bundle=public_part(None, None, home).bundle)
    look_for_newer(public, home)
    return public.newer


def test_a_save_changes_the_stamp_and_nothing_else_does(folder: Path) -> None:
    before = stamp(folder)
    (folder / "notes.txt").write_text("x")
    assert stamp(folder) == before == stamp(folder / "tiny.py")
    (folder / "tiny.py").write_text(RIGHT)
    assert stamp(folder) != before
