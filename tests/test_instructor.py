"""From a folder of submissions to marks, reports and a class page."""

import csv
import errno
import io
import json
import stat
from pathlib import Path

import pytest
from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader.collect import collect
from grader.errors import EngineError, UsageError
from grader.executors import Serial
from grader.gradebook import Gradebook
from grader.instructor import ClassResult, Marker, grade_class
from grader.sandbox.child import Child
from grader.sandbox.runner import Runner
from grader.types import Grade, Job, Status


class CountingRunner(Runner):
    """Counts the jobs it runs."""

    jobs = 0

    def child(self, job: Job) -> Child:
        self.jobs += 1
        return super().child(job)


@pytest.fixture
def counting(runner: Runner) -> CountingRunner:
    return CountingRunner(runner._zygote)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


def run(
    course: Path, runner: Runner, submissions: Path, out: Path, **options: object
) -> ClassResult:
    found = collect([submissions], "tiny")
    marker = Marker(course, "tiny", runner)
    with Gradebook(course / "gradebook.db") as book:
        return grade_class(marker, found, out, Serial(), book, **options)  # type: ignore[arg-type]


def test_marks_reports_and_the_class_page_are_written(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG)
    result = run(course, runner, submissions, tmp_path / "out")
    assert [(grade.student, grade.earned) for grade in result.grades] == [("ada", 6), ("bob", 4)]
    out = tmp_path / "out"
    for name in ("index.html", "grades.csv", "grades.json", "ada/report.html", "bob/grade.json"):
        assert (out / name).is_file(), name
    rows = list(csv.DictReader(io.StringIO((out / "grades.csv").read_text("utf-8-sig"))))
    assert list(rows[0]) == [
        "student",
        "assignment",
        "status",
        "earned",
        "possible",
        "pending",
        "diagnosis",
        "note",
    ]
    assert [(row["student"], row["earned"], row["possible"], row["pending"]) for row in rows] == [
        ("ada", "6", "6", "0.5"),
        ("bob", "4", "6", "0.5"),
    ]
    written = json.loads((out / "grades.json").read_text("utf-8"))["grades"]
    assert written[1]["criteria"][1]["verdict"] == "fail"
    assert result.page == out / "index.html"


def test_a_second_run_runs_nothing_and_gives_the_same(
    course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG)
    first = run(course, counting, submissions, tmp_path / "out")
    before = counting.jobs
    second = run(course, counting, submissions, tmp_path / "out")
    assert counting.jobs == before
    assert (first.reused, second.reused) == (0, 2)
    assert second.grades == first.grades


def test_only_what_changed_is_run_again(
    course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG)
    run(course, counting, submissions, tmp_path / "out")
    hand_in(submissions, bob=RIGHT)
    result = run(course, counting, submissions, tmp_path / "out")
    assert result.reused == 1
    assert [grade.earned for grade in result.grades] == [6, 6]


def test_fresh_runs_everything_again(
    course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    run(course, counting, submissions, tmp_path / "out")
    assert run(course, counting, submissions, tmp_path / "out", fresh=True).reused == 0


def test_a_change_of_points_or_words_runs_nothing_and_is_reported(
    course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    run(course, counting, submissions, tmp_path / "out")
    ran = counting.jobs
    rubric = course / "rubrics" / "tiny.yaml"
    told = rubric.read_text("utf-8").replace("points: 2", "points: 5")
    rubric.write_text(told.replace("Twice the input", "Two times the input"), "utf-8")
    result = run(course, counting, submissions, tmp_path / "out")
    assert (result.reused, result.grades[0].earned, counting.jobs) == (1, 9, ran)
    report = (tmp_path / "out" / "ada" / "report.html").read_text("utf-8")
    assert "Two times the input" in report and "Twice the input" not in report


@pytest.mark.parametrize("what", ["reference", "cases", "secret", "limits"])
def test_a_change_of_what_is_observed_runs_again(
    what: str,
    course: Path,
    counting: CountingRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    run(course, counting, submissions, tmp_path / "out")
    changes = {
        "reference": ("reference/tiny.py", "x * 2", "2 * x"),
        "cases": ("rubrics/tiny.yaml", "{B: 4, N: 5}", "{B: 4, N: 6}"),
        "limits": ("rubrics/tiny.yaml", "memory_mb: 512", "memory_mb: 513"),
    }
    if what in changes:
        name, old, new = changes[what]
        text = (course / name).read_text("utf-8")
        assert old in text
        (course / name).write_text(text.replace(old, new), "utf-8")
    else:
        monkeypatch.setenv("GRADER_SECRET", "another")
    result = run(course, counting, submissions, tmp_path / "out")
    assert (result.reused, result.grades[0].earned) == (0, 6)


def test_an_interrupted_run_keeps_what_it_had_and_goes_on(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG, cho=RIGHT)

    def interrupt(grade: Grade) -> None:
        if grade.student == "bob":
            raise KeyboardInterrupt

    first = run(course, runner, submissions, tmp_path / "out", progress=interrupt)
    assert ([grade.student for grade in first.grades], first.missing) == (["ada", "bob"], 1)
    assert "cho" not in (tmp_path / "out" / "grades.csv").read_text("utf-8")
    second = run(course, runner, submissions, tmp_path / "out")
    assert (second.reused, len(second.grades), second.missing) == (2, 3, 0)


def test_a_withheld_grade_is_tried_again(course: Path, runner: Runner, tmp_path: Path) -> None:
    class Broken(Runner):
        broken = True

        def child(self, job: Job) -> Child:
            if self.broken and "x + x" in job.source:
                raise EngineError("expected a child, got none")
            return super().child(job)

    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    broken = Broken(runner._zygote)
    first = run(course, broken, submissions, tmp_path / "out")
    assert (first.grades[0].status, first.grades[0].earned) == (Status.WITHHELD, None)
    row = (tmp_path / "out" / "grades.csv").read_text("utf-8-sig").splitlines()[1]
    assert row.startswith("ada,tiny,withheld,,")
    broken.broken = False
    second = run(course, broken, submissions, tmp_path / "out")
    assert (second.reused, second.grades[0].earned) == (0, 6)


def test_what_holds_hidden_evidence_is_for_the_owner_only(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    run(course, runner, hand_in(tmp_path / "in", ada=WRONG), tmp_path / "out")
    assert stat.S_IMODE((course / "gradebook.db").stat().st_mode) == 0o600


def test_a_students_files_hold_nothing_of_a_hidden_case(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    source = RIGHT.replace("return x + x", "raise ValueError(str(x.tolist()))")
    run(course, runner, hand_in(tmp_path / "in", eve=source), tmp_path / "out")
    run(course, runner, tmp_path / "in", tmp_path / "out")
    with Gradebook(course / "gradebook.db") as book:
        (seen,) = book.observations(book.observed("tiny")).values()
    hidden = [
        finding.facts["message"]
        for findings in seen.findings.values()
        for finding in findings
        if finding.hidden and "message" in finding.facts
    ]
    assert hidden
    for path in (tmp_path / "out" / "eve").iterdir():
        text = path.read_text("utf-8")
        assert not any(message[2:20] in text for message in hidden)
        assert "unseen" not in text


@pytest.mark.parametrize("place", ["file/below", "/proc/nothing"])
def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_runs(
    place: str, course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    with pytest.raises(UsageError, match="--out DIR"):
        run(course, counting, submissions, tmp_path / place)
    assert counting.jobs == 0


def test_a_full_disk_ends_the_run_and_loses_nothing(
    course: Path, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT, bob=WRONG)
    full = Path.write_bytes

    def write_bytes(self: Path, *args: object, **options: object) -> int:
        if "bob" in str(self):
            raise OSError(errno.ENOSPC, "No space left on device")
        return full(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(EngineError, match="No space left"):
        run(course, runner, submissions, tmp_path / "out")
    monkeypatch.undo()
    result = run(course, runner, submissions, tmp_path / "out")
    assert result.reused == 2
    assert (tmp_path / "out" / "bob" / "report.html").is_file()


def test_names_that_would_leave_the_folder_do_not(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("..py", "a\u202eb.py", "CON.py", "=cmd.py", "<script>.py", "x" * 200 + ".py"):
        (folder / name).write_text(RIGHT)
    result = run(course, runner, folder, tmp_path / "out" / "deep")
    assert len(result.grades) == 5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["deep"]
    page = (tmp_path / "out" / "deep" / "index.html").read_text("utf-8")
    assert "&lt;script&gt;" in page and page.count("<script>") == 1


def test_reports_are_written_again_in_another_language(
    course: Path, counting: CountingRunner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    run(course, counting, submissions, tmp_path / "out")
    result = run(course, counting, submissions, tmp_path / "out", language="ko")
    assert result.reused == 1
    assert 'lang="ko"' in (tmp_path / "out" / "ada" / "report.html").read_text("utf-8")
