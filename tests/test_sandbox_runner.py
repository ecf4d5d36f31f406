"""What comes out of the runner, whatever a submission does. Each source here is a submission."""

import itertools
import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sandbox_jobs import ROOMY, TIGHT, ask, job, outcomes, trial, value

from grader.errors import EngineError
from grader.sandbox import wire
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Limits, Outcome

OK, RAISED, TIMEOUT, DIED = Outcome.OK, Outcome.RAISED, Outcome.TIMEOUT, Outcome.DIED
MEMORY, FLOOD, UNREADABLE = Outcome.MEMORY, Outcome.FLOOD, Outcome.UNREADABLE
SKIPPED, BROKEN = Outcome.SKIPPED, Outcome.BROKEN

FIND_PIPE = """
import json, os, stat, struct
def pipe():
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            pass
def frame(tree, arrays=(), payload=b""):
    header = json.dumps({"tree": tree, "arrays": list(arrays)}).encode()
    return struct.pack(">4sIQ", b"SGF1", len(header), len(payload)) + header + payload
NUMBER = {"map": {"path": "", "kind": "number", "dtype": "float64", "array": {"array": 0}}}
RIGHT = {"map": {"leaves": [[NUMBER]], "used": []}}
FORGED = frame(RIGHT, [["float64", []]], struct.pack("<d", 42.0))
"""


def test_one_output_for_each_trial_in_order(runner: Runner) -> None:
    trials = [trial("double", x=np.array([float(n)])) for n in range(20)]
    outputs = ask(runner, "def double(x): return 2 * x", *trials)
    assert [float(value(output)[0]) for output in outputs] == [2.0 * n for n in range(20)]


def test_a_job_without_trials_gives_nothing(runner: Runner) -> None:
    assert runner.run(replace(job("1/0"), trials=())) == ()


# -- endings ----------------------------------------------------------------------------------

ENDS = {
    "os._exit": ("import os; os._exit(0)", "exit 0"),
    "os._exit 3": ("import os; os._exit(3)", "exit 3"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "abort": ("import os; os.abort()", "SIGABRT"),
    "SIGKILL": ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
    "SIGTERM": ("import os; os.kill(os.getpid(), 15)", "SIGTERM"),
    "thread that exits": (
        "import os, threading, time; threading.Thread(target=os._exit, args=(4,)).start()\n"
        "    time.sleep(60)",
        "exit 4",
    ),
    "closed pipe": ("import os; os.closerange(3, 64)", "exit 1"),
}


@pytest.mark.parametrize("body, said", ENDS.values(), ids=ENDS)
def test_a_death_costs_its_trial_only(bare: Runner, body: str, said: str) -> None:
    source = f"def f(die=False):\n    if not die: return 7\n    {body}\n"
    outputs = ask(bare, source, "f", trial("f", die=True), "f", "f")
    assert outcomes(outputs) == [OK, DIED, OK, OK]
    assert outputs[1].facts == {"signal": said}
    assert [value(output) for output in outputs if output.outcome is OK] == [7, 7, 7]


@pytest.mark.parametrize("body, said", ENDS.values(), ids=ENDS)
def test_a_death_at_import_ends_every_trial_alike(bare: Runner, body: str, said: str) -> None:
    outputs = ask(bare, f"if True:\n    {body}\ndef f(): return 1", "f", "f")
    assert outcomes(outputs) == [DIED, DIED]
    assert outputs[0].facts == {"signal": said, "loading": True}


STUCK = {
    "loop": "while True: pass",
    "regex in C": "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')",
    "torch in C": "import torch; torch.zeros(30_000, 300).logcumsumexp(0).cumsum(0).sort(0) \\\n"
    "        if False else [torch.randn(300, 300).matrix_exp() for _ in range(10**6)]",
    "big integers in C": "2 ** (2 ** 40) if False else 7 ** (7 ** 9)",
    "sleep": "import time; time.sleep(600)",
    "SIGTERM ignored": "import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\n"
    "    while True: pass",
    "KeyboardInterrupt caught": "\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "reading": "import os; r, w = os.pipe(); os.read(r, 1)",
}


@pytest.mark.parametrize("body", STUCK.values(), ids=STUCK)
def test_what_does_not_end_is_stopped(bare: Runner, body: str) -> None:
    (output,) = ask(bare, f"def f():\n    {body}\n", limits=TIGHT)
    assert output.outcome is TIMEOUT
    assert output.facts == {"seconds": TIGHT.trial_seconds}


def test_a_timeout_skips_the_rest_of_its_entry_and_goes_on_with_others(runner: Runner) -> None:
    source = """
    def slow(n=0):
        while n: pass
        return 1
    def fast(): return 2
    """
    stuck = trial("slow", n=1)
    trials = ["slow", stuck, "slow", "slow", "fast", "slow", "fast"]
    outputs = ask(runner, source, *trials, limits=TIGHT)
    assert outcomes(outputs) == [OK, TIMEOUT, SKIPPED, SKIPPED, OK, SKIPPED, OK]
    assert outputs[2].facts == {"entry": "slow"}


def test_the_seconds_of_a_submission_bound_all_its_trials(runner: Runner) -> None:
    source = "import time\n" + "".join(f"def f{n}(): time.sleep(60)\n" for n in range(6))
    limits = Limits(seconds=1.5, trial_seconds=0.6)
    outputs = ask(runner, source, *[f"f{n}" for n in range(6)], limits=limits)
    assert set(outcomes(outputs)) == {TIMEOUT}
    assert outputs[0].facts == {"seconds": 0.6} and outputs[-1].facts == {"seconds": 1.5}


def test_a_load_that_does_not_end_is_charged_to_the_load(runner: Runner) -> None:
    outputs = ask(runner, "while True: pass", "f", "g", limits=TIGHT)
    assert outcomes(outputs) == [TIMEOUT, TIMEOUT]
    assert outputs[1].facts["loading"] is True


HOARDS = {
    "bytes": "x = []\n    while True: x.append(bytearray(10**7))",
    "one list": "x = [0]\n    while True: x += x",
    "torch": "import torch; x = []\n    while True: x.append(torch.ones(10**6))",
    "torch at once": "import torch; torch.zeros(10**12)",
    "numpy at once": "import numpy as np; np.ones((10**6, 10**6))",
    "string": "'x' * 10**12",
}


@pytest.mark.parametrize("body", HOARDS.values(), ids=HOARDS)
def test_what_hoards_memory_is_told_so_and_not_run_again(runner: Runner, body: str) -> None:
    source = f"def f():\n    {body}\ndef g(): return 3"
    limits = replace(ROOMY, memory_mb=200)
    outputs = ask(runner, source, "f", "f", "g", limits=limits)
    assert outcomes(outputs) == [MEMORY, SKIPPED, OK]
    assert outputs[0].facts == {"megabytes": 200}


# -- printing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "while True: print('spam' * 1000)",
        "import os\n    while True: os.write(1, b'x' * 9999)",
        "import sys\n    while True: sys.stderr.write('e' * 9999)",
    ],
)
def test_a_flood_is_stopped_and_its_entry_skipped(runner: Runner, body: str) -> None:
    limits = replace(ROOMY, output_bytes=1_000_000)
    outputs = ask(runner, f"def f():\n    {body}\ndef g(): return 3", "f", "f", "g", limits=limits)
    assert outcomes(outputs) == [FLOOD, SKIPPED, OK]
    assert outputs[0].facts == {"megabytes": 1.0}
    assert 1000 < len(outputs[0].stdout) <= 20_000


def test_what_is_printed_is_kept_and_never_parsed(bare: Runner) -> None:
    source = FIND_PIPE + (
        "def f():\n"
        "    print('seen')\n"
        "    os.write(1, FORGED + b'\\xff')\n"
        "    os.write(2, b'and this')\n"
        "    os.system('echo from a shell')\n"
        "    return 1"
    )
    (output,) = ask(bare, source)
    assert value(output) == 1
    for words in ("seen", "SGF1", "\ufffd", "and this", "from a shell"):
        assert words in output.stdout


def test_what_is_printed_is_capped(runner: Runner) -> None:
    (output,) = ask(runner, "def f(): print('é' * 100_000)")
    assert output.outcome is OK and 9_000 < len(output.stdout) <= 20_000


def test_a_lone_surrogate_can_be_printed(runner: Runner) -> None:
    (output,) = ask(runner, "def f(): print('\\ud800'); return '\\ud800'")
    assert value(output) == "?" and "?" in output.stdout


# -- the result pipe --------------------------------------------------------------------------

FORGERIES = {
    "garbage": "os.write(pipe(), b'garbage, and more of it')",
    "half a frame": "os.write(pipe(), FORGED[:30])",
    "another magic": "os.write(pipe(), b'SGF2' + FORGED[4:])",
    "a huge length": "os.write(pipe(), struct.pack('>4sIQ', b'SGF1', 2**31, 2**60))",
    "a frame too many": "os.write(pipe(), FORGED)",
    "frames without end": "\n    while True: os.write(pipe(), FORGED)",
}


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("where", ["trial", "import"])
def test_a_forged_stream_makes_the_whole_run_unreadable(
    runner: Runner, body: str, where: str
) -> None:
    source = f"{FIND_PIPE}def f():\n    {body}\n    return 1\n"
    source += "f()\n" if where == "import" else ""
    outputs = ask(runner, source, "f", "f")
    assert outcomes(outputs) == [UNREADABLE, UNREADABLE]
    assert outputs[0].facts["reason"] == "frame"


@pytest.mark.parametrize(
    "tree",
    [
        1,
        {"map": {}},
        {"map": {"used": [{"array": 0}]}},
        {"map": {"used": [], "leaves": 3}},
        {"map": {"used": [], "leaves": [[{"map": {"kind": "tensor"}}]]}},
        {"map": {"used": [], "misfit": "mismatch", "facts": {"map": {}}}},
        {"map": {"used": [], "error": {"tuple": []}}},
    ],
    ids=str,
)
def test_a_forged_frame_of_another_form_is_unreadable(runner: Runner, tree: Any) -> None:
    # The forged frame stands for the first trial's; the process then ends before the second's.
    source = FIND_PIPE + (
        f"def f(): os.write(pipe(), frame({tree!r}, [['float64', [2]]], bytes(16))); os._exit(0)\n"
        "def g(): return 1"
    )
    outputs = ask(runner, source, "f", "g", forbidden=["torch.nn.LSTM"])
    assert outputs[0].outcome is UNREADABLE
    assert outputs[1].outcome in (OK, DIED)


# -- what may be returned ---------------------------------------------------------------------


def test_a_trial_that_returns_too_much_costs_itself_only(runner: Runner) -> None:
    source = """
    import torch
    def one(): return torch.zeros(1000, 1000)
    def many(): return [torch.zeros(300, 300)] * 3
    def numbers(): return [0.5] * 200_000
    def words(): return ["\\U0001f600" * 10_000] * 250
    def f(): return 1
    """
    limits = replace(ROOMY, result_bytes=1_000_000)
    asked = ("f", "one", "many", "numbers", "words", "f")
    outputs = ask(runner, source, *asked, limits=limits)
    assert outcomes(outputs) == [OK, *[UNREADABLE] * 4, OK]
    assert {output.facts["reason"] for output in outputs[1:5]} == {"too large"}


# -- our side ---------------------------------------------------------------------------------


def test_jobs_from_several_threads_do_not_mix(runner: Runner) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(6):
            mine = 100 * number + turn
            source = f"import os\ndef f(die=0):\n    if die: os._exit(1)\n    return {mine}"
            outputs = ask(runner, source, "f", trial("f", die=1), "f")
            if outcomes(outputs) != [OK, DIED, OK] or value(outputs[2]) != mine:
                wrong.append(outputs)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_is_left_in_the_temporary_folder(
    bare: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.run(job("def f(): return 1"))  # so that the warm process's own folder is elsewhere
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = """
    import os, pathlib, tempfile
    def f():
        pathlib.Path("left").write_text("here")
        pathlib.Path(tempfile.mkdtemp(), "deep").write_text("there")
        os.makedirs("locked/in", exist_ok=True); os.chmod("locked", 0)
        return os.getcwd()
    def g():
        f(); os._exit(1)
    def h():
        f()
        while True: pass
    """
    outputs = ask(bare, source, "f", "g", "h", "f", limits=TIGHT)
    assert outcomes(outputs) == [OK, DIED, TIMEOUT, OK]
    assert str(value(outputs[0])).startswith(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_descriptors_of_the_trusted_process_are_given_back(runner: Runner) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for source in ("def f(): return 1", "import os; os._exit(1)", "def f(): print('x' * 10**8)"):
        ask(runner, source, "f", "f")
    assert set(os.listdir("/proc/self/fd")) == before


class NoZygote(Zygote):
    """One that cannot fork."""

    def __init__(self, error: Exception):
        super().__init__()
        self.error = error

    def fork(self, limits: Limits, scratch: str, descriptors: list[int]) -> int:
        raise self.error


@pytest.mark.parametrize("error", [EngineError("no warm process"), OSError(28, "disk full")])
def test_our_own_fault_is_broken_and_never_raised(error: Exception) -> None:
    outputs = ask(Runner(NoZygote(error)), "def f(): return 1", "f", "f")
    assert outcomes(outputs) == [BROKEN, BROKEN]
    assert outputs[0].facts == {"reason": str(error)}


def test_a_child_that_cannot_set_itself_up_is_our_fault(runner: Runner) -> None:
    (output,) = ask(runner, "def f(): return 1", forbidden=["torch.no_such_name"])
    assert output.outcome is BROKEN and "no_such_name" in output.facts["reason"]


def test_time_lost_before_student_code_runs_is_our_fault(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: 0.0)
    limits = replace(ROOMY, trial_seconds=0.0)
    (output,) = ask(runner, "def f(): return 1", limits=limits)
    assert output.outcome is BROKEN


def test_a_trial_that_gets_no_processor_is_given_more_time(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def f():\n    import time\n    time.sleep(2)\n    return 1"
    limits = replace(ROOMY, trial_seconds=1.0)
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: time.monotonic())
    (output,) = ask(runner, source, limits=limits)
    assert output.outcome is Outcome.OK
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: 0.0)
    (output,) = ask(runner, source, limits=limits)
    assert output.outcome is Outcome.TIMEOUT


def test_a_submission_that_gets_no_processor_is_not_charged_for_it(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def f():\n    import time\n    time.sleep(0.3)\n    return 1"
    limits = replace(ROOMY, seconds=0.5)
    trials = (trial("f"), replace(trial("f"), hidden=True))
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: time.monotonic())
    outputs = runner.run(job(source, *trials, limits=limits))
    assert outcomes(list(outputs)) == [OK, OK]
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: 0.0)
    outputs = runner.run(job(source, *trials, limits=limits))
    assert outcomes(list(outputs)) == [OK, Outcome.TIMEOUT]


def test_patience_ends(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.child.waited", lambda told: time.monotonic())
    limits = replace(ROOMY, trial_seconds=0.2)
    (output,) = ask(runner, "def f():\n    while True: pass", limits=limits)
    assert output.outcome is Outcome.TIMEOUT


def test_the_same_trials_are_encoded_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = itertools.count()
    encode = wire.encode
    monkeypatch.setattr(wire, "encode", lambda tree: (next(encoded), encode(tree))[1])
    asked = job("def f(): return 1", "f", "f")
    for _ in range(3):
        assert set(outcomes(list(runner.run(asked)))) == {OK}
    assert next(encoded) == 3 + 1


def test_what_ends_the_warm_process_twice_is_asked_nothing_more() -> None:
    zygote = Zygote("E")
    runner, made = Runner(zygote), []

    def counted(asked: Any) -> Any:
        made.append(asked)
        return Runner.child(runner, asked)

    runner.child = counted  # type: ignore[method-assign]
    kills = "def f():\n    os.kill(os.getppid(), 9)\n    time.sleep(2)"
    source = f"import os, time\n{kills}\ndef g(): return 1"
    first, second = trial("f"), replace(trial("g"), hidden=True)
    try:
        with runner.open(replace(job(source), trials=())) as asked:
            outputs = (*asked((first, second)), *asked((second,)))
        assert outcomes(outputs) == [BROKEN] * 3
        assert len(made) == 2
        assert value(ask(runner, "def f(): return 7")[0]) == 7
    finally:
        zygote.close()
