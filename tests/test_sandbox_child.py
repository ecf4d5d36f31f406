"""How the trusted side holds one child: what it is told of its end, and what it makes of that."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sandbox_jobs import ROOMY, ask, job, outcomes, trial, value

from grader.sandbox.child import clear, death, sealed, waited
from grader.sandbox.runner import Runner
from grader.types import Limits, Outcome, Trial


def hidden(entry: str = "f") -> Trial:
    return replace(trial(entry), hidden=True)


@pytest.mark.parametrize(
    "status, seconds, outcome, facts",
    [
        (signal.SIGSEGV, 0.1, Outcome.DIED, {"signal": "SIGSEGV"}),
        (signal.SIGXCPU, 0.1, Outcome.TIMEOUT, {"seconds": 5}),
        (signal.SIGKILL, 5.1, Outcome.TIMEOUT, {"seconds": 5}),
        (signal.SIGKILL, 4.9, Outcome.DIED, {"signal": "SIGKILL"}),
        (3 << 8, 0.1, Outcome.DIED, {"signal": "exit 3"}),
    ],
)
def test_an_end_is_told_by_its_signal_and_by_the_time_it_took(
    status: int, seconds: float, outcome: Outcome, facts: dict[str, object]
) -> None:
    told = {"status": int(status), "cpu_seconds": seconds}
    ended = death(told, Limits(seconds=5))
    assert (ended.outcome, ended.facts) == (outcome, facts)


def test_what_is_sealed_can_be_read_and_not_written() -> None:
    with sealed(b"the job") as descriptor:
        assert os.pread(descriptor, 99, 0) == b"the job"
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"x", 0)


def test_one_that_sleeps_or_is_gone_lacks_no_processor() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        time.sleep(0.5)
        before = waited({"pid": sleeper.pid})
        time.sleep(0.3)
        assert waited({"pid": sleeper.pid}) - before < 0.1
    finally:
        sleeper.kill()
        sleeper.wait()
    assert waited({"pid": sleeper.pid}) == waited({}) == 0.0


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell")
def test_one_of_several_on_one_processor_lacks_it_for_a_while() -> None:
    (processor, *_) = os.sched_getaffinity(0)
    busy = f"import os; os.sched_setaffinity(0, [{processor}])\nwhile True: pass"
    runs = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(3)]
    try:
        deadline = time.monotonic() + 20
        while waited({"pid": runs[0].pid}) < 0.2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert waited({"pid": runs[0].pid}) >= 0.2
    finally:
        for each in runs:
            each.kill()
            each.wait()


COUNTING = """
calls = []
def f():
    calls.append(1)
    return len(calls)
def die(): import os; os._exit(1)
"""


def test_what_is_asked_next_is_asked_of_the_same_child(runner: Runner) -> None:
    with runner.open(job(COUNTING)) as further:
        answers = [value(further((trial("f"),))[0]) for _ in range(3)]
    assert answers == [1, 2, 3]


def test_a_child_that_was_lost_is_followed_by_a_new_one(runner: Runner) -> None:
    with runner.open(job(COUNTING)) as further:
        assert outcomes(list(further((trial("f"), trial("die"))))) == [Outcome.OK, Outcome.DIED]
        assert value(further((trial("f"),))[0]) == 1


def test_an_entry_that_timed_out_is_not_asked_again(runner: Runner) -> None:
    source = "def f():\n    while True: pass\ndef g(): return 1"
    with runner.open(job(source, limits=replace(ROOMY, trial_seconds=0.3))) as further:
        assert further((trial("f"),))[0].outcome is Outcome.TIMEOUT
        assert outcomes(list(further((trial("f"), trial("g"))))) == [Outcome.SKIPPED, Outcome.OK]


def test_a_load_that_failed_is_not_tried_again(runner: Runner) -> None:
    jobs = []

    class Counting(Runner):
        def child(self, job: object) -> object:  # type: ignore[override]
            jobs.append(job)
            return super().child(job)  # type: ignore[arg-type]

    outputs = Counting(runner._zygote).run(job("1 / 0", "f", hidden()))
    assert outcomes(list(outputs)) == [Outcome.RAISED] * 2 and len(jobs) == 1


LOOKING = """
import sys
import numpy as np

def within(value, depth=0):
    if isinstance(value, np.ndarray):
        return value.dtype == float and bool((value == 77.25).any())
    if isinstance(value, dict):
        value = list(value.values())
    return depth < 9 and isinstance(value, (list, tuple)) and any(
        within(each, depth + 1) for each in value
    )

def f(x=None):
    frame, found = sys._getframe(), False
    while frame is not None:
        found = found or within(list(frame.f_locals.values()))
        frame = frame.f_back
    return found

g = f
"""


def test_what_is_hidden_is_not_there_before_what_is_public_has_been_answered(
    runner: Runner,
) -> None:
    secret = replace(trial("g", x=np.array([77.25])), hidden=True)
    outputs = ask(runner, LOOKING, trial("f"), trial("f"), secret)
    assert [bool(value(output)) for output in outputs] == [False, False, True]
    # Told at once, the first would have seen it.
    together = ask(runner, LOOKING, trial("f"), trial("g", x=np.array([77.25])))
    assert bool(value(together[0]))


def test_what_a_hidden_trial_prints_is_not_with_the_public_answers(runner: Runner) -> None:
    source = "def f(): print('open')\ndef g(): print('secret')"
    shown, kept = ask(runner, source, trial("f"), hidden("g"))
    assert shown.stdout == "open\n" and "secret" in kept.stdout


def test_no_more_children_live_at_a_time_than_there_are_places(runner: Runner) -> None:
    narrow = Runner(runner._zygote, at_once=1)
    with narrow.open(job("def f(): return 1")) as further:
        further((trial("f"),))
        assert narrow._places._value == 0
    assert narrow._places._value == 1


def test_a_folder_is_cleared_however_deep_and_locked_it_is(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "locked" / "in").mkdir(parents=True)
    (scratch / "locked" / "in" / "file").write_text("x")
    (scratch / "link").symlink_to("/")
    (scratch / "locked").chmod(0)
    descriptor = os.open(scratch, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deeper", dir_fd=descriptor)
        below = os.open("deeper", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    clear(str(scratch))
    assert list(tmp_path.iterdir()) == [] and Path("/etc").is_dir()
    clear(str(scratch))
