"""Every command of docs/lms.md, one after another, in a small course; and what each leaves."""

import contextlib
import csv
import io
import json
import re
import shlex
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from repositories import made_repository, run_git
from tiny_course import RIGHT, WRONG, make_course
from zips import write_zip

from grader import cli
from grader.exports.marks import FinalMark

BOB = "bob@example.org,B,4,"
DOCS = (Path(__file__).resolve().parent.parent / "docs" / "lms.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", DOCS, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line]
CANVAS = """Student,ID,SIS Login ID,Section,Doubling (77),Other (78)
    Points Possible,,,,10,5
"Lovelace, Ada",1001,ada@example.org,A,,3
"Roe, Bob",1002,bob@example.org,B,,2
"Lee, Cid",1003,cid@example.org,B,,
"""
MOODLE = """Identifier,"Full name",Status,Grade,"Maximum Grade","Last modified (grade)"
"Participant 57","Ada Lovelace",-,,10.00,-
"Participant 58","Bob Roe",-,,10.00,-
"Participant 59","Cid Lee",-,,10.00,-
"""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, cwd: Path) -> Done:
    """A command as it is typed, in this process: nothing here needs one of its own."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setenv("COLUMNS", "200")
        patch.setenv("LANG", "C.UTF-8")
        # The course's own gradebook, whatever other tests use.
        patch.delenv("GRADER_GRADEBOOK", raising=False)
        patch.setattr("sys.argv", ["grader", *map(str, arguments)])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            try:
                cli.main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
    return Done(code, out.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course with the roster of the page, repositories, and what an instructor downloaded."""
    root = make_course(tmp_path_factory.mktemp("lms") / "course")
    (settings,) = (text for kind, text in BLOCKS if kind == "yaml")
    (roster,) = (text for kind, text in BLOCKS if kind == "")
    (root / "course.yaml").write_text(settings, "utf-8")
    (root / "roster.csv").write_text(roster, "utf-8")
    (root / "gradebook.csv").write_text(CANVAS, "utf-8")
    (root / "worksheet.csv").write_text(MOODLE, "utf-8")
    entries = (("lovelaceada_1001_5001_tiny.py", RIGHT), ("roebob_LATE_1002_5002_tiny-1.py", WRONG))
    write_zip(root / "canvas-submissions.zip", *((name, text.encode()) for name, text in entries))
    for account, source in (("ada-l", RIGHT), ("bob-r", WRONG)):
        made_repository(root / "home" / account, {"tiny.py": source})
        bare = root / "repositories" / f"tiny-{account}.git"
        run_git(root, "clone", "-q", "--bare", str(root / "home" / account), str(bare))
    yield root


@pytest.fixture(scope="module")
def ran(course: Path) -> dict[str, tuple[int, str, str]]:
    """Exit code, output and errors of every command of the page, in its order."""
    found = {}
    for line in COMMANDS:
        command, *arguments = shlex.split(line.replace("lstm", "tiny"))
        assert command == "grader"
        done = (
            run(*arguments, "--lang", "en", cwd=course)
            if arguments[0] != "pull"
            else run(*arguments, cwd=course)
        )
        found[line] = (done.returncode, done.stdout, done.stderr)
        if line.startswith("grader pull") and "--at" not in line:
            # What is not there yet is listed, and comes with the next pull.
            assert done.returncode == 1 and "failed: cid" in done.stdout
            made_repository(course / "home" / "cid-l", {"tiny.py": RIGHT})
            bare = course / "repositories" / "tiny-cid-l.git"
            run_git(course, "clone", "-q", "--bare", str(course / "home" / "cid-l"), str(bare))
    return found


def test_no_command_of_the_page_breaks(ran: dict[str, tuple[int, str, str]]) -> None:
    assert len(ran) == len(COMMANDS) >= 13
    for line, (code, _, errors) in ran.items():
        assert "Traceback" not in errors, (line, errors)
        # Pulls list what can't be had, and returns who can't be reached.
        allowed = (0, 1) if line.startswith(("grader pull", "grader return")) else (0,)
        assert code in allowed, (line, code, errors)


def test_canvas_zip_is_graded_by_the_roster(ran: dict[str, tuple[int, str, str]]) -> None:
    code, output, errors = ran["grader grade lstm canvas-submissions.zip"]
    assert code == 0 and re.search(r"ada .* 6 / 6", output) and re.search(r"bob .* 4 / 6", output)
    assert "nothing handed in (1): cid" in errors
    assert "late, as the LMS says (1): bob" in errors


def test_a_pull_after_the_time_says_what_it_does_not_take(
    ran: dict[str, tuple[int, str, str]],
) -> None:
    code, output, _ = ran["grader pull lstm --at 2026-03-01T23:59"]
    assert code == 1
    assert "no commit is known to have arrived by" in output


def test_sheets_are_filled_in(course: Path, ran: dict[str, tuple[int, str, str]]) -> None:
    told = ran["grader export canvas lstm gradebook.csv --so-far"][1]
    assert "2 marks filled in under 'Doubling (77)'" in told
    results = course / "results" / "tiny"
    canvas = (results / "canvas.csv").read_text("utf-8")
    assert canvas == CANVAS.replace("org,A,,", "org,A,6,").replace(
        "bob@example.org,B,,", "bob@example.org,B,4,"
    )
    assert (results / "moodle.csv").read_text("utf-8").count(",6,") == 1
    with (results / "marks.csv").open(encoding="utf-8-sig") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["points"] == "6" and rows["cid"]["status"] == "missing"
    assert (course / "gradebook.csv").read_text("utf-8") == CANVAS


def test_a_withheld_mark_is_said_by_the_exit_code(
    course: Path, ran: dict[str, tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = FinalMark(student="ada", points=None, possible=Fraction(6), why="withheld")
    monkeypatch.setattr("grader.cli.export.with_missing", lambda marks, roster: (mark,))
    done = run("export", "canvas", "tiny", "gradebook.csv", cwd=course)
    assert done.returncode == 3
    assert "left: Lovelace, Ada: the mark is withheld" in done.stdout
    assert (course / "results" / "tiny" / "canvas.csv").read_text("utf-8") == CANVAS
    assert run("export", "csv", "tiny", "--out", "marks.csv", cwd=course).returncode == 3


def test_junit_has_a_case_for_every_criterion(
    course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    root = ET.parse(course / "results" / "tiny" / "junit.xml").getroot()
    assert len(root.findall(".//testcase")) == 8
    failed = [
        case.get("name") for case in root.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["Twice the input"]


def test_a_pull_at_the_due_date_takes_each_students_own(
    course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    settings = (course / "course.yaml").read_text("utf-8")
    dates = "{due: 2026-03-01T23:59Z, extensions: {cid: 2999-01-01T00:00Z}}"
    (course / "course.yaml").write_text(f"{settings}assignments:\n  tiny: {dates}\n", "utf-8")
    told = json.loads(run("pull", "tiny", "--at", "due", "--json", cwd=course).stdout)
    assert [each["student"] for each in told["fetched"]] == ["cid"]
    assert len(told["failed"]) == 2
    (course / "course.yaml").write_text(settings, "utf-8")
    done = run("pull", "tiny", "--at", "due", cwd=course)
    assert done.returncode == 2 and "expected a due date" in " ".join(done.stderr.split())


def test_gradescope_has_its_results_and_its_zip(
    course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    said = json.loads((course / "results" / "tiny" / "ada" / "results.json").read_text("utf-8"))
    assert said["score"] == 6.0
    with zipfile.ZipFile(course / "autograder.zip") as archive:
        assert {"setup.sh", "run_autograder"} <= set(archive.namelist())
    assert (course / "autograder.zip").stat().st_mode & 0o077 == 0


def test_reports_are_returned(course: Path, ran: dict[str, tuple[int, str, str]]) -> None:
    results = course / "results" / "tiny"
    assert "2 would be sent" in ran["grader return lstm folder --out returned --dry-run"][1]
    assert (course / "returned" / "ada" / "report.html").exists()
    for way, name in (("canvas", "lovelaceada_1001_5001"), ("moodle", "Ada Lovelace_57")):
        with zipfile.ZipFile(results / f"{way}-feedback.zip") as archive:
            assert any(each.startswith(name) for each in archive.namelist())
    shown = run_git(course / "repositories" / "tiny-ada-l.git", "show", "grader/tiny:report.md")
    assert shown.startswith("# Doubling")
    again = run("return", "tiny", "github", cwd=course)
    assert "0 sent, 2 unchanged" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "canvas", "tiny"), "expected the CSV that Canvas gave you"),
        (("export", "canvas", "tiny", "none.csv"), "expected a downloaded sheet, got No such file"),
        (("export", "canvas", "tiny", "gradebook.csv", "--out", "gradebook.csv"), "another file"),
        (("export", "junit", "tiny", "--results", "none"), "expected results of grader grade"),
        (("export", "gradescope", "tiny", "--student", "eve"), "expected one of the students"),
        (("export", "csv", "tinny"), "did you mean 'tiny'"),
        (("return", "tiny", "canvas"), "with --download, got none"),
        (("pull", "tiny", "--at", "soon"), "expected a date and time such as"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], said: str, course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    done = run(*arguments, cwd=course)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_course_without_roster_or_repositories_says_what_to_write(tmp_path: Path) -> None:
    root = make_course(tmp_path / "course")
    done = run("pull", "tiny", cwd=root)
    assert done.returncode == 2
    assert "$.repositories; say there where" in " ".join(done.stderr.split())
    (root / "course.yaml").write_text("repositories: {url: 'x/{github}'}\n")
    done = run("pull", "tiny", cwd=root)
    assert done.returncode == 2
    assert "expected a roster with students" in " ".join(done.stderr.split())


def test_what_was_exported_is_told_as_json_where_it_is_asked_for(
    course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    done = run("export", "canvas", "tiny", "gradebook.csv", "--json", cwd=course)
    told = json.loads(done.stdout)
    assert told["filled"] == {}
    assert any("a person has yet to mark a part" in line for line in told["left"])
    assert told["missing"] == ["cid"]
    done = run("return", "tiny", "folder", "--json", "--dry-run", cwd=course)
    assert json.loads(done.stdout)["sent"] == ["ada", "bob"]


def test_marks_by_hand_are_handed_on_and_the_last_word_is_a_persons(
    course: Path, ran: dict[str, tuple[int, str, str]]
) -> None:
    for arguments in (("ada", "clarity", "0.5"), ("bob", "total", "5")):
        done = run("mark", "tiny", *arguments, "--why", "seen", cwd=course)
        assert done.returncode == 0, done.stderr
    done = run("export", "canvas", "tiny", "gradebook.csv", "--json", cwd=course)
    assert json.loads(done.stdout)["filled"] == {"ada": ["", "6.5"], "bob": ["", "5"]}
