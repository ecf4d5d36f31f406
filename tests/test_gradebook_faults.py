"""Killed at any moment, or two at once: nothing is lost, and nothing is graded twice."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader.gradebook import Gradebook

HERE = Path(__file__).resolve().parent


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


def test_a_run_that_is_killed_at_any_write_goes_on_to_the_same_result(
    course: Path, tmp_path: Path
) -> None:
    hand_in(course / "in", ada=RIGHT, bob=WRONG)
    (tmp_path / "runs").mkdir()
    command = [sys.executable, str(HERE / "crashing.py"), str(course), str(tmp_path / "runs")]
    path = os.pathsep.join([str(HERE), str(HERE.parent)])
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told.pop("points") > 40
    assert told == {"survived": [], "differs": [], "twice": []}


def command(course: Path, folder: Path, out: Path) -> list[str]:
    told = [sys.executable, "-m", "grader", "grade", "tiny", str(folder), "-j", "2", "--json"]
    return [*told, "--course", str(course), "--out", str(out), "--allow-unisolated"]


def rows(place: Path) -> Iterator[tuple[str, str]]:
    with Gradebook(place) as book:
        yield from ((row.student, str(row.earned)) for row in book.grades("tiny"))


def at(place: Path) -> dict[str, str]:
    return {**os.environ, "GRADER_GRADEBOOK": str(place)}


def test_two_batches_into_one_gradebook_at_once_both_finish(course: Path, tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(12)]
    folder = hand_in(tmp_path / "in", **{name: f"{RIGHT}\n# {name}\n" for name in names})
    place = tmp_path / "gradebook.db"
    batches = [
        subprocess.Popen(
            command(course, folder, tmp_path / out),
            env=at(place),
            stdout=subprocess.PIPE,
            text=True,
        )
        for out in ("one", "two")
    ]
    told = [json.loads(batch.communicate(timeout=200)[0]) for batch in batches]
    assert [batch.returncode for batch in batches] == [0, 0]
    assert told[0] == told[1]
    assert sorted(rows(place)) == [(name, "6") for name in sorted(names)]


@pytest.mark.slow
def test_a_batch_of_500_that_is_killed_in_the_middle_goes_on_to_the_same_result(
    course: Path, tmp_path: Path
) -> None:
    sources = {
        f"s{number:03}": f"{RIGHT if number % 3 else WRONG}\n# {number}\n" for number in range(500)
    }
    folder = hand_in(tmp_path / "in", **sources)
    whole, broken = tmp_path / "whole.db", tmp_path / "broken.db"
    subprocess.run(
        command(course, folder, tmp_path / "whole"),
        env=at(whole),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    first = subprocess.Popen(
        command(course, folder, tmp_path / "broken"), env=at(broken), stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    while not broken.exists() or len(list(rows(broken))) < 200:
        assert time.monotonic() < until and first.poll() is None
        time.sleep(0.05)
    first.kill()
    first.wait()
    there = len(list(rows(broken)))
    assert 200 <= there < 500
    subprocess.run(
        command(course, folder, tmp_path / "broken"),
        env=at(broken),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert sorted(rows(broken)) == sorted(rows(whole))
    assert len(list(rows(broken))) == 500
    for name in ("grades.csv", "grades.json"):
        same = (tmp_path / out / name for out in ("whole", "broken"))
        assert len({path.read_bytes() for path in same}) == 1
