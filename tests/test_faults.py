"""Faults of our own: a mark is withheld or the job is run again, never lowered; nothing is left."""

import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_jobs import job, outcomes
from tiny_course import RIGHT, hand_in, make_course

from grader.collect import collect
from grader.executors import Pool
from grader.gradebook import Gradebook
from grader.instructor import Marker, grade_class
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Outcome, Status

SCRIPT = "sandbox/zygote.py"


def below(pid: int) -> set[int]:
    """Every process below one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | below(child)
    return found


def alive(pids: set[int]) -> set[int]:
    living = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        except OSError:
            continue
        if state not in "ZX":
            living.add(pid)
    return living


def eventually_gone(pids: set[int], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pids)


@pytest.fixture
def own() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


def test_a_warm_process_that_is_killed_again_and_again_lowers_no_mark(
    own: Zygote, tmp_path: Path
) -> None:
    names = ["ada", "bob", "cho", "dan", "eve", "fay", "gil", "han"]
    folder = hand_in(tmp_path / "in", **dict.fromkeys(names, RIGHT))
    marker = Marker(make_course(tmp_path / "course"), "tiny", Runner(own, 2))
    book = Gradebook(tmp_path / "gradebook.db")
    found, out = collect([folder], "tiny"), tmp_path / "out"
    assert marker.standard is not None
    over = threading.Event()

    def shoot() -> None:
        while not over.wait(0.15):
            for pid in alive(below(os.getpid())):
                try:
                    script = Path(f"/proc/{pid}/cmdline").read_bytes()
                    if SCRIPT.encode() in script:
                        os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue

    shooter = threading.Thread(target=shoot)
    shooter.start()
    try:
        first = grade_class(marker, found, out, Pool(2), book)
    finally:
        over.set()
        shooter.join()
    assert len(first.grades) == len(names)
    for graded in first.grades:
        withheld = (graded.status, graded.earned) == (Status.WITHHELD, None)
        assert withheld or graded.earned == graded.possible
    second = grade_class(marker, found, out, Pool(2), book)
    assert all(graded.earned == graded.possible for graded in second.grades)


def test_a_grader_that_is_killed_leaves_no_process_and_goes_on_next_time(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    slow = RIGHT.replace("return x + x", "__import__('time').sleep(30); return x + x")
    folder = hand_in(tmp_path / "in", ada=RIGHT, bob=slow)
    command = [sys.executable, "-m", "grader", "grade", "tiny", str(folder), "-j", "2"]
    command += ["--course", str(course), "--out", str(tmp_path / "out"), "--allow-unisolated"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (tmp_path / "out" / "ada").exists() and time.monotonic() < until:
        time.sleep(0.05)
    started = below(process.pid)
    assert started
    process.kill()
    process.wait()
    assert eventually_gone(started)
    with Gradebook(os.environ["GRADER_GRADEBOOK"]) as book:
        assert [row.student for row in book.grades("tiny")] == ["ada"]


def test_without_descriptors_it_is_our_fault_and_passes(runner: Runner) -> None:
    source = "def f(): return 1"
    assert outcomes(list(runner.run(job(source)))) == [Outcome.OK]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(highest + 2, hard), hard))
    held = []
    try:
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        lost = outcomes(list(runner.run(job(source))))
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert lost == [Outcome.BROKEN]
    assert outcomes(list(runner.run(job(source)))) == [Outcome.OK]


def refuse(number: int) -> Any:
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return refused


@pytest.mark.parametrize(
    "place, name, number",
    [
        (tempfile, "mkdtemp", errno.ENOSPC),
        (os, "memfd_create", errno.ENFILE),
        (os, "pipe", errno.EMFILE),
        (Zygote, "fork", errno.ENOMEM),
    ],
)
def test_what_the_system_refuses_us_is_our_fault(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, number: int
) -> None:
    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(place, name, refuse(number))
    (output,) = runner.run(job("def f(): return 1"))
    monkeypatch.undo()
    assert output.outcome is Outcome.BROKEN
    assert os.strerror(number) in output.facts["reason"]
    assert set(os.listdir("/proc/self/fd")) == before
    assert outcomes(list(runner.run(job("def f(): return 1")))) == [Outcome.OK]
