"""CI's road: only what is stale is graded, and every mark that moved is explained."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from test_instructor import CountingRunner
from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader.ci import CriterionMove, Move, Regraded, regrade
from grader.ci.changes import changed_files, touched
from grader.ci.telling import (
    MOST_ANNOTATIONS,
    annotations,
    as_json,
    counts_text,
    definition,
    mark_text,
    suites,
    summary,
    why_text,
)
from grader.collect import collect
from grader.errors import UsageError
from grader.executors import Serial
from grader.exports.junit import junit_xml
from grader.gradebook import Gradebook, MarkRow
from grader.instructor import Marker
from grader.sandbox.runner import Runner
from grader.standing import read_pages, standings
from grader.types import Submission, SubmittedFile


@pytest.fixture
def counting(runner: Runner) -> CountingRunner:
    return CountingRunner(runner._zygote)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    course = make_course(tmp_path / "course")
    hand_in(course / "submissions" / "tiny", ada=RIGHT, bob=WRONG)
    return course


def again(course: Path, runner: Runner, **options: Any) -> Regraded:
    folder = course / "submissions" / "tiny"
    handed = collect([folder], "tiny").submissions if folder.is_dir() else ()
    with Gradebook(course / "gradebook.db") as book:
        return regrade(Marker(course, "tiny", runner), handed, book, Serial(), **options)


def change(course: Path, name: str, old: str, new: str) -> None:
    text = (course / name).read_text("utf-8")
    assert old in text
    (course / name).write_text(text.replace(old, new), encoding="utf-8")


def told(regraded: Regraded) -> list[tuple[str, str, str, str]]:
    return [
        (move.student, mark_text(move.before), mark_text(move.after), why_text(move))
        for move in regraded.moves
    ]


def test_what_is_new_is_graded_and_the_second_time_nothing_is(
    course: Path, counting: CountingRunner
) -> None:
    first = again(course, counting)
    assert (first.ran, [move.student for move in first.moves]) == (2, ["ada", "bob"])
    ran = counting.jobs
    second = again(course, counting)
    assert (second.ran, second.rescored, second.unchanged, second.moves) == (0, 0, 2, ())
    assert counting.jobs == ran


def test_a_changed_submission_is_run_alone_and_its_move_explained(
    course: Path, counting: CountingRunner
) -> None:
    again(course, counting)
    hand_in(course / "submissions" / "tiny", bob=RIGHT)
    regraded = again(course, counting)
    half = " + 0.5 to mark"
    assert told(regraded) == [("bob", f"4 of 6{half}", f"6 of 6{half}", "submission changed")]
    assert (regraded.ran, regraded.unchanged) == (1, 1)
    assert [move.id for move in regraded.moves[0].criteria] == ["value"]


def test_a_change_of_points_runs_nothing_and_a_changed_reference_everything(
    course: Path, counting: CountingRunner
) -> None:
    again(course, counting)
    ran = counting.jobs
    change(course, "rubrics/tiny.yaml", "points: 2", "points: 4")
    regraded = again(course, counting)
    assert (regraded.ran, regraded.rescored, counting.jobs) == (0, 2, ran)
    assert {why for *_, why in told(regraded)} == {"points changed"}
    change(course, "reference/tiny.py", "x * 2", "x * 3")
    regraded = again(course, counting)
    assert regraded.ran == 2
    assert [(name, why) for name, *_, why in told(regraded)] == [("ada", "reference changed")]


def test_a_dry_run_says_the_same_and_writes_nothing(course: Path, counting: CountingRunner) -> None:
    again(course, counting)
    change(course, "rubrics/tiny.yaml", "points: 2", "points: 4")
    hand_in(course / "submissions" / "tiny", bob=RIGHT, cho=RIGHT)
    before = (course / "gradebook.db").read_bytes()
    dry = again(course, counting, dry_run=True)
    assert (course / "gradebook.db").read_bytes() == before
    assert told(dry) == told(again(course, counting))
    assert len(dry.moves) == 3


def test_without_the_submissions_folder_what_the_gradebook_holds_is_graded(
    course: Path, counting: CountingRunner
) -> None:
    again(course, counting)
    for path in (course / "submissions" / "tiny").iterdir():
        path.unlink()
    (course / "submissions" / "tiny").rmdir()
    change(course, "reference/tiny.py", "x * 2", "x * 3")
    regraded = again(course, counting)
    assert (regraded.ran, [move.student for move in regraded.moves]) == (2, ["ada"])


def test_a_case_or_a_criterion_is_taken_out_without_running_anything(
    course: Path, counting: CountingRunner
) -> None:
    again(course, counting)
    ran = counting.jobs
    void = "\nvoid:\n  - {criterion: value, reason: {en: It was wrong, ko: 틀렸습니다}}\n"
    rubric = course / "rubrics" / "tiny.yaml"
    plain = rubric.read_text("utf-8")
    rubric.write_text(plain + void, encoding="utf-8")
    regraded = again(course, counting)
    half = " + 0.5 to mark"
    assert [to for _, _, to, _ in told(regraded)] == [f"4 of 4{half}", f"4 of 4{half}"]
    cases = "".join(
        f"  - {{case: {name}, reason: {{en: Bad, ko: 나쁨}}}}\n" for name in ("seen", "unseen")
    )
    rubric.write_text(plain + "\nvoid:\n" + cases, encoding="utf-8")
    regraded = again(course, counting)
    assert [to for _, _, to, _ in told(regraded)] == [f"3 of 3{half}", f"3 of 3{half}"]
    rubric.write_text(plain, encoding="utf-8")
    assert [to for _, _, to, _ in told(again(course, counting))] == [
        f"6 of 6{half}",
        f"4 of 6{half}",
    ]
    assert counting.jobs == ran


def test_marks_by_hand_survive_and_orphans_are_listed(
    course: Path, counting: CountingRunner
) -> None:
    again(course, counting)
    mark = MarkRow(
        student="bob", criterion="value", points=Fraction(1), who="kim", why="", submission=""
    )
    with Gradebook(course / "gradebook.db") as book:
        book.decide("tiny", [mark, replace(mark, criterion="clarity", points=Fraction(1, 2))])
    change(course, "rubrics/tiny.yaml", "sizes: {B: 4", "sizes: {B: 3")
    regraded = again(course, counting)
    assert (regraded.ran, regraded.orphans) == (2, ())
    assert {each.student: each.earned for each in regraded.standings}["bob"] == Fraction(11, 2)
    change(course, "rubrics/tiny.yaml", "id: value", "id: worth")
    regraded = again(course, counting)
    assert [(each.student, each.criterion) for each in regraded.orphans] == [("bob", "value")]


def test_late_policy_and_several_attempts_follow_from_the_gradebook(
    course: Path, counting: CountingRunner
) -> None:
    due = datetime(2026, 10, 1, tzinfo=UTC)
    name = "course.yaml"
    (course / name).write_text(
        "late: {takes: 10%}\nattempts: best\nassignments: {tiny: {due: 2026-10-01T00:00+00:00}}\n"
    )
    marker = Marker(course, "tiny", counting)
    (ada, _) = collect([course / "submissions" / "tiny"], "tiny").submissions
    wrong = replace(ada, files=(SubmittedFile(name="ada.py", content=WRONG.encode()),))
    with Gradebook(course / "gradebook.db") as book:
        for each in (
            replace(wrong, submitted_at=due),
            replace(ada, submitted_at=due + timedelta(days=2)),
        ):
            regrade(marker, [each], book, Serial())
        (standing,) = standings(read_pages(book, "tiny"), marker.policy)
        assert (standing.earned, standing.submitted_at) == (
            Fraction(48, 10),
            due + timedelta(days=2),
        )
        assert "Attempt 2 of 2 counts" in standing.note and "1.2 points" in standing.note
        ran = counting.jobs
        change(course, name, "10%", "50%")
        marker = Marker(course, "tiny", counting)
        regraded = regrade(marker, [], book, Serial())
        assert counting.jobs == ran
        assert told(regraded)[0][1:] == (
            "4.8 of 6 + 0.5 to mark",
            "4 of 6 + 0.5 to mark",
            "another attempt counts, dates or late policy changed",
        )


def git(folder: Path, *arguments: str) -> str:
    user = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *user, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_since_narrows_to_what_git_says(course: Path, tmp_path: Path) -> None:
    git(course, "init", "-q")
    git(course, "add", "-A")
    git(course, "commit", "-qm", "one")
    handed = collect([course / "submissions" / "tiny"], "tiny").submissions

    def concerned() -> frozenset[str] | None:
        return touched(course, changed_files(course, "HEAD"), "tiny", handed)

    assert concerned() == frozenset()
    hand_in(course / "submissions" / "tiny", bob=RIGHT)
    assert concerned() == {"bob"}
    change(course, "reference/tiny.py", "x * 2", "x * 3")
    assert concerned() is None
    with pytest.raises(UsageError, match="a Git revision after --since, got 'nowhere'"):
        changed_files(course, "nowhere")
    with pytest.raises(UsageError, match="a Git revision"):
        changed_files(course, "--output=x")
    git(course, "commit", "-qam", "two")
    git(tmp_path, "clone", "-q", "--depth", "1", course.as_uri(), "shallow")
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        changed_files(tmp_path / "shallow", "HEAD~1")
    with pytest.raises(UsageError, match="a Git repository"):
        changed_files(tmp_path, "HEAD")


def test_the_summary_is_a_table_that_stays_under_its_limit(
    course: Path, counting: CountingRunner
) -> None:
    regraded = again(course, counting)
    whole = summary([regraded], dry_run=False)
    assert "| ada | none | 6 of 6 + 0.5 to mark | first graded |" in whole
    (move, _) = regraded.moves
    many = [replace(move, student=f"<b>|`{number}`") for number in range(20_000)]
    text = summary([replace(regraded, moves=tuple(many))], dry_run=True)
    assert len(text.encode()) < 2**20
    assert "more marks moved" in text and "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| &lt;b")]
    assert all(line.replace(r"\|", "").count("|") == 6 for line in rows)


def test_annotations_stand_on_the_line_of_the_function(
    course: Path, counting: CountingRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    regraded = again(course, counting)
    (line,) = annotations([regraded])
    assert line.startswith("::error file=submissions/tiny/bob.py,line=3,title=Twice the input::bob")
    assert "value: none -> fail 0 of 2" in line and "unseen" not in line
    (_, move) = regraded.moves
    evil = replace(move, student="x\n::set-output name=a::b")
    listed = list(annotations([replace(regraded, moves=(evil,) * 30)]))
    assert len(listed) == MOST_ANNOTATIONS + 1
    assert all("\n" not in line for line in listed)


def test_a_definition_is_found_in_a_notebook_and_in_what_does_not_parse() -> None:
    def of(name: str, text: str) -> int:
        file = SubmittedFile(name=name, content=text.encode())
        handed = Submission(student="a", assignment="t", path=f"in/{name}", files=(file,))
        return definition(handed, "double")[1]

    notebook = json.dumps({"cells": [{"source": ["import torch\n", "def double(x):\n"]}]}, indent=1)
    assert of("t.ipynb", notebook) == 6
    assert of("t.py", "x = (\n\ndef double(x):\n") == 3
    assert of("t.py", "pass\n") == 1


def test_json_and_junit_say_the_same(course: Path, counting: CountingRunner) -> None:
    regraded = again(course, counting)
    told_ = json.loads(as_json([regraded], dry_run=False))["regraded"][0]
    assert [(move["student"], move["to"]["earned"]) for move in told_["moves"]] == [
        ("ada", 6.0),
        ("bob", 4.0),
    ]
    assert '<testcase classname="tiny.bob" name="Twice the input"' in junit_xml(suites([regraded]))
    assert counts_text(regraded, dry_run=True).startswith("tiny: 2 marks would move; 2 run")


def test_a_move_by_hand_is_said(course: Path, counting: CountingRunner) -> None:
    (move, _) = again(course, counting).moves
    assert why_text(replace(move, before=move.after, why=())) == "marked by hand"
    assert isinstance(move, Move) and isinstance(move.criteria[0], CriterionMove)
