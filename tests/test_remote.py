"""Grading on a cluster gives what grading here gives, whatever becomes of its workers."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dask_cluster import Processes
from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader import remote
from grader.collect import collect
from grader.errors import EngineError, GraderError, UsageError
from grader.executors import Serial
from grader.gradebook import Gradebook
from grader.gradebook.rows import dumped
from grader.instructor import ClassResult, Marker, grade_class
from grader.remote import Elsewhere, cluster_marker
from grader.reports.student import report_html
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.types import Grade, Status, Submission, SubmittedFile

DEADLY = RIGHT + "\nNOTE = 'DEADLY'\n"
RAISES = RIGHT.replace("return x + x", "raise KeyError(3)")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler and two workers, which share no folder with the course."""
    started = Processes(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        started.worker()
    yield started
    started.end()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


def run(course: Path, address: str, submissions: Path, out: Path, **options: object) -> ClassResult:
    found = collect([submissions], "tiny")
    with cluster_marker(course, "tiny", address, unisolated=True) as (marker, cluster):
        cluster._client.wait_for_workers(2, timeout=60)
        with Gradebook(course / "gradebook.db") as book:
            return grade_class(marker, found, out, cluster, book, **options)  # type: ignore[arg-type]


def run_here(course: Path, runner: Runner, submissions: Path, out: Path, book: str) -> ClassResult:
    found = collect([submissions], "tiny")
    with Gradebook(course / book) as opened:
        return grade_class(Marker(course, "tiny", runner), found, out, Serial(), opened)


def timeless(grades: tuple[Grade, ...]) -> list[Grade]:
    """Without the seconds that it took."""
    return [
        replace(grade, provenance=replace(grade.provenance, seconds=0.0))
        for grade in grades
        if grade.provenance
    ]


def test_a_cluster_gives_what_this_machine_gives_and_the_one_goes_on_where_the_other_stopped(
    course: Path, processes: Processes, runner: Runner, tmp_path: Path
) -> None:
    sources = {"ada": RIGHT, "bob": WRONG, "cho": "def double(:", "dan": RAISES}
    submissions = hand_in(tmp_path / "in", **sources)
    away = run(course, processes.address, submissions, tmp_path / "away")
    here = run_here(course, runner, submissions, tmp_path / "here", "another.db")
    assert timeless(away.grades) == timeless(here.grades)
    assert [grade.student for grade in away.grades] == ["ada", "bob", "cho", "dan"]
    for name in ("report.html", "grade.json"):
        seen = [(tmp_path / place / "ada" / name).is_file() for place in ("away", "here")]
        assert seen == [True, True]
    again = run_here(course, runner, submissions, tmp_path / "away", "gradebook.db")
    assert again.reused == 4


def test_no_name_of_a_student_travels_and_only_bytes_do(course: Path) -> None:
    marker = object.__new__(Elsewhere)
    marker.station = remote.Station(b"{}")
    file = SubmittedFile(name="tiny.py", content=b"\x00\xff")
    submission = Submission(student="Hana Kim", assignment="tiny", path="Hana Kim", files=(file,))
    packed = marker.work.pack(submission)
    assert isinstance(packed, bytes) and b"Hana" not in packed
    assert json.loads(packed)["files"] == [["tiny.py", "AP8="]]


def test_a_worker_is_sent_all_that_decides_a_mark_and_no_other_assignment(course: Path) -> None:
    for name in ("course.yaml", "adapters/tiny.yaml", "adapters/other.yaml", "rubrics/other.yaml"):
        (course / name).parent.mkdir(exist_ok=True)
        (course / name).write_text("")
    kit = json.loads(remote._kit(course, "tiny", "secret", unisolated=False))
    assert set(kit["files"]) == {
        "course.yaml",
        "adapters/tiny.yaml",
        "rubrics/tiny.yaml",
        "reference/tiny.py",
        "assignments/tiny/README.md",
    }
    assert kit["secret"] == "secret"


def test_a_worker_that_is_killed_in_the_middle_of_a_class_loses_no_mark(
    course: Path, processes: Processes, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", **{f"s{n:02}": f"{RIGHT}\n# {n}\n" for n in range(12)})
    found = collect([submissions], "tiny")
    with cluster_marker(course, "tiny", processes.address, unisolated=True) as (marker, cluster):
        cluster._client.wait_for_workers(2, timeout=60)
        pids = list(cluster._client.run(os.getpid).values())
        killed: list[int] = []

        def shoot(graded: Grade) -> None:
            if not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        with Gradebook(course / "gradebook.db") as book:
            out = tmp_path / "out"
            result = grade_class(marker, found, out, cluster, book, progress=shoot)
    assert killed and result.missing == 0
    assert [(grade.status, grade.earned) for grade in result.grades] == [(Status.GRADED, 6)] * 12


def test_a_submission_that_kills_its_worker_three_times_is_withheld_and_the_others_are_marked(
    course: Path, processes: Processes, tmp_path: Path
) -> None:
    others = {f"s{number}": f"{RIGHT}\n# {number}\n" for number in range(6)}
    submissions = hand_in(tmp_path / "in", eve=DEADLY, **others)
    result = run(course, processes.address, submissions, tmp_path / "out")
    by_name = {grade.student: grade for grade in result.grades}
    lost = by_name.pop("eve")
    assert (lost.status, lost.earned, lost.possible) == (Status.WITHHELD, None, 6)
    assert {grade.earned for grade in by_name.values()} == {6}
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "went down 3 times" in page
    assert "no mark" in report_html(student_view(lost), "en")
    # It is our fault until it is known to be the student's, so it is tried again.
    with Gradebook(course / "gradebook.db") as book:
        assert len(book.observed("tiny")) == len(others)


def test_a_scheduler_that_goes_away_costs_nothing_that_was_graded(
    course: Path, runner: Runner, tmp_path: Path
) -> None:
    submissions = hand_in(tmp_path / "in", **{f"s{n:02}": f"{RIGHT}\n# {n}\n" for n in range(12)})
    found, out = collect([submissions], "tiny"), tmp_path / "out"
    short = Processes(tmp_path)
    try:
        short.worker()
        with (
            pytest.raises(EngineError, match="run the same command again"),
            cluster_marker(course, "tiny", short.address, unisolated=True) as (marker, cluster),
            Gradebook(course / "gradebook.db") as book,
        ):
            shoot = lambda _: short.scheduler.kill()  # noqa: E731
            grade_class(marker, found, out, cluster, book, progress=shoot)
    finally:
        short.end()
    result = run_here(course, runner, submissions, out, "gradebook.db")
    assert 1 <= result.reused < 12 and result.missing == 0
    assert {grade.earned for grade in result.grades} == {6}


def test_a_fault_of_the_course_and_a_machine_that_differs_are_refused(
    course: Path, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions = hand_in(tmp_path / "in", ada=RIGHT)
    (course / "course.yaml").write_text("isolation: Z\n")
    with pytest.raises(GraderError, match="isolation"):
        run(course, processes.address, submissions, tmp_path / "out")
    (course / "course.yaml").unlink()
    monkeypatch.setattr("grader.__version__", "0.0.0")
    with pytest.raises(UsageError, match=r"expected grader 0\.0\.0.* @ worker tcp.*install"):
        run(course, processes.address, submissions, tmp_path / "out")
    monkeypatch.undo()
    reference = course / "reference" / "tiny.py"
    reference.write_text(reference.read_text().replace("return x * 2", "raise ValueError"))
    with pytest.raises(GraderError, match="reference"):
        run(course, processes.address, submissions, tmp_path / "out")


def test_what_the_docs_say_for_slurm_asks_it_for_workers_of_one_thread(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "cluster.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for name, answer in (
        ("sbatch", 'cat "$1" >> "$JOBS"; echo Submitted batch job 1'),
        ("scancel", ""),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / name).chmod(0o700)
    path, jobs = f"{tmp_path}{os.pathsep}{os.environ['PATH']}", tmp_path / "jobs"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PATH": path, "JOBS": str(jobs)},
        input="\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    address = done.stdout.split()[0]
    assert address.startswith("tcp://")
    asked = [line for line in jobs.read_text().splitlines() if "worker" in line and address in line]
    assert len(asked) == 4
    assert all("--nworkers 8" in line and "--nthreads 1 " in line for line in asked)


def test_a_grade_under_another_key_is_not_taken(course: Path, processes: Processes) -> None:
    with cluster_marker(course, "tiny", processes.address, unisolated=True) as (marker, _):
        one, two = (
            Submission(
                student="ada",
                assignment="tiny",
                path="",
                files=(SubmittedFile(name="tiny.py", content=text.encode()),),
            )
            for text in (RIGHT, WRONG)
        )
        lost = marker.work.lost(one)
        answer = json.dumps({"seen": dumped(lost).decode()}).encode()
        assert marker.work.unpack(one, answer) == lost
        with pytest.raises(EngineError, match="expected what was seen under the key"):
            marker.work.unpack(two, answer)
