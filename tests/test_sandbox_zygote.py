"""The warm process: what its children find, what they leave, and how it is replaced.

On level E, where a submission can make processes of its own; what else the stricter levels refuse
is in test_sandbox_lockdown.py.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_jobs import ROOMY, TIGHT, ask, living, outcomes, trial, value

from grader.errors import EngineError
from grader.sandbox import child as child_module
from grader.sandbox import warm
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

OK, DIED, BROKEN, TIMEOUT = Outcome.OK, Outcome.DIED, Outcome.BROKEN, Outcome.TIMEOUT


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a generous while: a killed process is gone a moment later."""
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    warm = Zygote("E")
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def runner(zygote: Zygote) -> Runner:
    return Runner(zygote)


@pytest.fixture(scope="module")
def own() -> Iterator[Runner]:
    """A runner with a zygote of its own, for the tests that kill it."""
    zygote = Zygote("E")
    yield Runner(zygote)
    zygote.close()


# -- what a child finds -----------------------------------------------------------------------


def looked_up(runner: Runner, body: str) -> Any:
    (output,) = ask(runner, f"import os, sys\ndef f():\n    return {body}")
    return value(output)


@pytest.mark.parametrize("name", ["reference", "rubrics", "tests", "grader", "conftest"])
def test_a_submission_can_not_import_the_course(runner: Runner, name: str) -> None:
    (output,) = ask(runner, f"def f():\n    import {name}.mha")
    assert output.error is not None and output.error.type == "ModuleNotFoundError"
    assert output.facts == {"module": name}


def test_the_import_path_holds_installed_packages_only(runner: Runner) -> None:
    found = looked_up(runner, "'|'.join(sys.path)").split("|")
    assert found and all("lib" in entry for entry in found)
    assert str(Path(__file__).resolve().parent.parent) not in found
    modules = {name.split(".")[0] for name in looked_up(runner, "' '.join(sys.modules)").split()}
    assert not modules & {"grader", "yaml", "pydantic", "conftest", "reference"}


def test_a_child_holds_its_own_descriptors_only(runner: Runner) -> None:
    source = """
    import os, stat
    def f():
        kinds = {}
        for fd in range(4096):
            try: kinds[fd] = stat.S_IFMT(os.fstat(fd).st_mode)
            except OSError: pass
        names = {stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFREG: "file",
                 stat.S_IFSOCK: "socket"}
        return " ".join(f"{names.get(kind, kind)}" for fd, kind in sorted(kinds.items()))
    """
    words = value(ask(runner, source)[0]).split()
    assert words[:3] == ["device", "pipe", "pipe"] and sorted(words[3:]) == ["file", "socket"]


def test_the_job_can_not_be_written_to(runner: Runner) -> None:
    source = """
    import os, stat
    def f():
        (job,) = [fd for fd in range(3, 99) if os.path.exists(f"/proc/self/fd/{fd}")
                  and stat.S_ISREG(os.fstat(fd).st_mode)]
        os.pwrite(job, b"x", 0)
    """
    (output,) = ask(runner, source)
    assert output.error is not None and output.error.type == "PermissionError"


def test_a_child_has_one_thread_and_no_surroundings(runner: Runner) -> None:
    assert looked_up(runner, "__import__('torch').get_num_threads()") == 1
    assert looked_up(runner, "len(os.listdir('/proc/self/task'))") == 1
    assert looked_up(runner, "os.environ['OMP_NUM_THREADS']") == "1"
    assert looked_up(runner, "os.environ['CUDA_VISIBLE_DEVICES']") == ""
    assert looked_up(runner, "os.environ.get('GRADER_SECRET', 'none')") == "none"
    names = set(looked_up(runner, "' '.join(os.environ)").split())
    assert names <= {
        *warm.CLEAN_ENVIRONMENT,
        "TMPDIR",
        "LC_CTYPE",
        "TORCHINDUCTOR_CACHE_DIR",
    }
    assert looked_up(runner, "sys.stdin.read()") == ""


def test_a_child_works_in_a_folder_of_its_own(runner: Runner) -> None:
    body = "' '.join([os.getcwd(), os.environ['HOME'], __import__('tempfile').gettempdir()])"
    first, second = (set(looked_up(runner, body).split()) for _ in range(2))
    assert len(first) == 1 and first != second


def test_a_change_of_folder_does_not_outlast_the_job(runner: Runner) -> None:
    outputs = ask(runner, "import os\ndef f():\n    os.chdir('/')\n    return 1", "f", "f")
    assert outcomes(outputs) == [OK, OK]
    assert looked_up(runner, "os.getcwd()") != "/"


def test_a_file_can_not_grow_without_end(runner: Runner) -> None:
    source = "def f():\n    with open('big', 'wb') as file: file.write(bytes(60_000_000))"
    (output,) = ask(runner, source)
    assert output.outcome is not OK and output.outcome is not BROKEN


# -- what a child leaves ----------------------------------------------------------------------

SURVIVORS = {
    "fork": "if os.fork() == 0: time.sleep(600)",
    "setsid": "if os.fork() == 0: os.setsid(); time.sleep(600)",
    "double fork": "if os.fork() == 0:\n        os.setsid()\n"
    "        if os.fork() == 0: time.sleep(600)\n        os._exit(0)",
    "deaf": "if os.fork() == 0:\n        [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\n"
    "        while True: pass",
    "shell": "subprocess.Popen(['sh', '-c', 'sleep 600 & sleep 600'], start_new_session=True)",
    "chain": "\n    for _ in range(40):\n        if os.fork(): break\n    else: time.sleep(600)",
    "forks on": "for _ in range(30):\n        if os.fork() == 0:\n"
    "            while True: os._exit(0) if os.fork() else time.sleep(0.001)",
}
ENDINGS = {"returns": "return os.getcwd()", "dies": "os._exit(1)", "hangs": "time.sleep(600)"}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("body", SURVIVORS.values(), ids=SURVIVORS)
def test_nothing_survives_a_job(runner: Runner, body: str, ending: str, tmp_path: Path) -> None:
    source = (
        "import os, signal, subprocess, time\n"
        f"def f(mark):\n    os.chdir(mark)\n    {body}\n    {ending}"
    )
    (output,) = ask(runner, source, trial("f", mark=str(tmp_path)), limits=TIGHT)
    assert output.outcome is not BROKEN
    assert eventually(lambda: living(str(tmp_path)) == [])
    assert value(ask(runner, "def f(): return 2")[0]) == 2


def test_a_fork_that_returns_is_no_second_answer(runner: Runner) -> None:
    source = "import os\ndef f():\n    os.fork()\n    return 1\ndef g(): return 2"
    outputs = ask(runner, source, "f", "g", limits=TIGHT)
    assert BROKEN not in outcomes(outputs)
    assert outcomes(outputs) == [Outcome.UNREADABLE] * 2 or outcomes(outputs) == [OK, OK]


def test_threads_end_with_their_job(runner: Runner, tmp_path: Path) -> None:
    source = """
    import os, threading, time
    def f(mark):
        os.chdir(mark)
        for _ in range(2): threading.Thread(target=time.sleep, args=(600,)).start()
        return threading.active_count()
    """
    (output,) = ask(runner, source, trial("f", mark=str(tmp_path)))
    assert value(output) == 3
    assert eventually(lambda: living(str(tmp_path)) == [])


# -- the zygote itself ------------------------------------------------------------------------


def pid_of(runner: Runner) -> int:
    return int(looked_up(runner, "os.getppid()"))


def test_a_zygote_that_was_killed_is_replaced_for_the_next_job(own: Runner) -> None:
    first = pid_of(own)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{first}").exists())
    assert looked_up(own, "7") == 7
    assert pid_of(own) != first


def test_a_zygote_killed_by_a_submission_withholds_and_recovers(own: Runner) -> None:
    first = pid_of(own)
    source = "import os, time\ndef f(): os.kill(os.getppid(), 9); time.sleep(60)\ndef g(): return 1"
    outputs = ask(own, source, "g", "f", "g")
    assert outcomes(outputs) == [BROKEN] * 3
    assert eventually(lambda: not Path(f"/proc/{first}").exists())
    assert looked_up(own, "7") == 7


def test_a_zygote_that_no_longer_answers_is_replaced_and_the_job_run_again(
    own: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pid_of(own)
    monkeypatch.setattr(child_module, "END_SECONDS", 0.5)
    os.kill(first, signal.SIGSTOP)
    (output,) = ask(own, "def f(): return 1", limits=TIGHT)
    assert output.outcome is OK
    monkeypatch.undo()
    assert looked_up(own, "7") == 7 and pid_of(own) != first


def test_a_zygote_that_can_not_start_is_our_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zygote = Zygote()
    monkeypatch.setattr(warm, "START_SECONDS", 0.001)
    with pytest.raises(EngineError, match="expected a warm process"):
        zygote.start()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    (output,) = ask(Runner(zygote), "def f(): return 1")
    assert output.outcome is BROKEN and "no python" in output.facts["reason"]
    monkeypatch.undo()
    assert ask(Runner(zygote), "def f(): return 1")[0].outcome is OK
    zygote.close()


def test_closing_ends_the_zygote_and_may_be_done_twice() -> None:
    zygote = Zygote("E")
    zygote.close()
    assert zygote.start().keys() == {"torch", "numpy"}
    pid = pid_of(Runner(zygote))
    zygote.close()
    zygote.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_kill_of_a_job_that_is_over_harms_nobody(zygote: Zygote, runner: Runner) -> None:
    for number in (0, 10**9):
        zygote.kill(number)
    assert outcomes(ask(runner, "def f(): return 1", limits=ROOMY)) == [OK]


def test_without_training_the_process_is_lighter_and_can_train_all_the_same() -> None:
    source = (
        "import sys, torch\n"
        "light = 'torch._dynamo' not in sys.modules\n"
        "def f():\n"
        "    p = torch.nn.Parameter(torch.ones(2))\n"
        "    p.sum().backward()\n"
        "    torch.optim.SGD([p], lr=0.5).step()\n"
        "    return light, p\n"
    )
    told = []
    for training in (False, True):
        zygote = Zygote()
        zygote.training = training
        try:
            (output,) = ask(Runner(zygote), source, limits=ROOMY)
        finally:
            zygote.close()
        light, parameter = output.leaves[0]
        assert light.array is not None and parameter.array is not None
        assert parameter.array.tolist() == [0.5, 0.5]
        told.append(bool(light.array))
    assert told == [True, False]
