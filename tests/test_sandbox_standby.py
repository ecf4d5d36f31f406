"""Where there is no fork: standby processes give what forked children give."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_course import RIGHT, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, release
from grader.course import Settings
from grader.errors import EngineError
from grader.packing import place
from grader.sandbox import processes, standby
from grader.sandbox.processes import warm_process
from grader.sandbox.runner import Runner
from grader.sandbox.standby import Process, Standby
from grader.sandbox.warm import Zygote
from grader.types import Call, Job, Limits, Outcome, RawOutput, Trial

ROOT = Path(__file__).resolve().parent.parent
TRIALS = tuple(
    Trial(case=str(n), variant="base", entry="f", calls=(Call(args={"x": np.full(2, n)}),))
    for n in range(3)
)
LIMITS = Limits(seconds=8, trial_seconds=1, output_bytes=100_000, memory_mb=512)


@pytest.fixture(scope="module")
def waiting() -> Iterator[Runner]:
    process = Standby()
    process.training = False
    yield Runner(process)
    process.close()


def ran(runner: Runner, body: str) -> tuple[RawOutput, ...]:
    source = f"import torch, sys, os\n\ndef f(x):\n    {body}\n"
    return runner.run(Job(source=source, modules={}, trials=TRIALS, limits=LIMITS))


@pytest.mark.parametrize(
    "body",
    [
        "print('seen', int(x[0])); return x * 2",
        "raise ValueError('no')",
        "return x if x[0] != 1 else x @ 'a'",
        "while x[0] == 1: pass\n    return x",
        "os._exit(3) if x[0] == 1 else None\n    return x",
        "while True: print('y' * 1000)",
        "os.write(1, b'forged'); return x",
    ],
)
def test_a_standby_process_gives_what_a_forked_child_gives(
    waiting: Runner, bare: Runner, body: str
) -> None:
    mine, theirs = ran(waiting, body), ran(bare, body)
    assert [each.outcome for each in mine] == [each.outcome for each in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert one.error == other.error and one.facts == other.facts
        for left, right in zip(one.leaves, other.leaves, strict=True):
            assert all((a.array == b.array).all() for a, b in zip(left, right, strict=True))


def test_the_next_process_waits_already_and_one_that_lost_its_job_is_replaced(
    waiting: Runner,
) -> None:
    first, second, third = ran(waiting, "os._exit(1) if x[0] == 1 else None\n    return x")
    assert [first.outcome, second.outcome, third.outcome] == [Outcome.OK, Outcome.DIED, Outcome.OK]
    assert waiting._zygote._spare is not None  # type: ignore[union-attr]


def test_its_level_is_stated_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    process = Standby()
    told = process.isolation()
    assert told.level == "E" and set(told.refused) == {"A", "B"}
    process.begin()
    spare = process._spare
    assert spare is not None and Path(spare.scratch).is_dir()
    process.close()
    assert spare.code is not None and not Path(spare.scratch).exists()


def test_one_that_can_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no torch here')"]
    monkeypatch.setattr(standby, "COMMAND", command)
    with pytest.raises(EngineError, match="no torch here"):
        Process(training=False).ready()


def test_it_is_for_machines_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(warm_process(), Zygote)
    monkeypatch.setattr(processes.sys, "platform", "darwin")
    assert isinstance(warm_process(), Standby)
    monkeypatch.undo()
    monkeypatch.delattr(processes.os, "fork")
    assert isinstance(warm_process(), Standby)


def test_a_check_works_without_anything_that_only_unix_has(tmp_path: Path, runner: Runner) -> None:
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    home = tmp_path / "바탕 화면" / "tiny"
    place(hand_out(release(assignment, "s", runner), assignment, Settings()), "tiny", home)
    (home / "tiny.py").write_text(RIGHT)
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "without_unix.py"), "check", "--lang", "ko"],
        cwd=home,
        env={**standby.os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp949"},
        capture_output=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr.decode("cp949")
    assert "모든 공개 검사를 통과했습니다" in ran.stdout.decode("cp949").replace("\n", " ")


def test_nothing_that_only_unix_has_is_imported_on_the_way_to_any_command() -> None:
    script = (
        "import sys; sys.path.insert(0, 'tests'); from without_unix import HIDE; exec(HIDE)\n"
        "import importlib, pkgutil, grader\n"
        "names = [m.name for m in pkgutil.walk_packages(grader.__path__, 'grader.')]\n"
        "inside = ('zygote', 'worker', 'lockdown', 'namespaces', 'landlock', 'seccomp', 'kernel',\n"
        "          'waiting', 'calls', 'callnumbers', '__main__')\n"
        # Dask's psutil has a module for each system, and takes Linux's here.
        "inside += ('cluster', 'remote')\n"
        "for name in names:\n"
        "    if name.rpartition('.')[2] not in inside and 'migrations' not in name:\n"
        "        importlib.import_module(name)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
