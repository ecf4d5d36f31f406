"""What a submission can and can't do on levels A and B, as root and as an ordinary user."""

import errno
import os
import re
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ordinary_user import ROOT, as_ordinary_user
from sandbox_jobs import ROOMY, TIGHT, ask, job, outcomes, trial, value

from grader.errors import EngineError
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Isolation, Zygote
from grader.types import Outcome, RawOutput

OK, DIED, TIMEOUT = Outcome.OK, Outcome.DIED, Outcome.TIMEOUT


def had(level: str) -> Isolation | None:
    zygote = Zygote(level)
    try:
        return zygote.isolation()
    except EngineError:
        return None
    finally:
        zygote.close()


@pytest.fixture(scope="module", params=["A", "B"])
def zygote(request: pytest.FixtureRequest) -> Iterator[Zygote]:
    warm = Zygote(request.param)
    try:
        warm.start()
    except EngineError as error:
        pytest.skip(str(error))
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def runner(zygote: Zygote) -> Runner:
    return Runner(zygote)


@pytest.fixture
def level(zygote: Zygote) -> str:
    return zygote.isolation().level


def got(runner: Runner, body: str, **args: Any) -> Any:
    (output,) = ask(runner, f"import os, sys\ndef f(**args):\n    {body}", trial("f", **args))
    return value(output)


def error(runner: Runner, body: str) -> str:
    (output,) = ask(runner, f"import os, sys\ndef f():\n    {body}")
    assert output.error is not None, output
    return output.error.type


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.02)
    return False


# -- the level --------------------------------------------------------------------------------


def test_the_level_that_was_asked_for_is_in_force(zygote: Zygote) -> None:
    isolation = zygote.isolation()
    assert isolation.level in "AB" and isolation.refused == {}
    assert any("site-packages" in path or "python3" in path for path in isolation.readable)
    assert not any(ROOT.is_relative_to(path) for path in isolation.readable)


def test_the_strictest_level_there_is_comes_unasked_and_before_torch_is_loaded() -> None:
    zygote = Zygote()
    started = time.monotonic()
    told = zygote.isolation()
    assert time.monotonic() - started < 5 and not zygote.versions
    strictest = next((level for level in "AB" if had(level)), "E")
    assert told.level == strictest
    zygote.start()
    assert zygote.isolation() is told
    zygote.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a namespace that has no others within")
def test_without_namespaces_the_level_is_b_and_the_reason_is_told() -> None:
    script = (
        "from grader.sandbox.warm import Zygote\n"
        "from grader.errors import EngineError\n"
        "open('/proc/sys/user/max_user_namespaces', 'w').write('0')\n"
        "told = Zygote().isolation()\n"
        "print(told.level, told.refused)\n"
        "try: Zygote('A').isolation()\n"
        "except EngineError as error: print(error)\n"
    )
    told = as_ordinary_user("unshare", "--user", "--map-root-user", sys.executable, "-c", script)
    first, second = told.stdout.splitlines()
    assert first == "B {'A': 'unshare: No space left on device'}", told
    assert second.startswith("expected isolation level A, got ") and "grader doctor" in second


# -- what it sees -----------------------------------------------------------------------------


HIDDEN = ("/etc/passwd", "/proc/self/status", "/proc/1/stat", "/home", "/tmp", "/sys", "/dev", "/")


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_python_can_not_be_read(runner: Runner, path: str) -> None:
    body = f"return open({path!r}).read() if os.path.isfile({path!r}) else os.listdir({path!r})"
    assert error(runner, body) in ("PermissionError", "FileNotFoundError")


def test_a_file_beside_the_submissions_can_not_be_read(runner: Runner, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    canary.chmod(0o644)
    refused = ("PermissionError", "FileNotFoundError")
    for path in (canary, ROOT / "reference" / "mha.py", ROOT / "README.md"):
        assert error(runner, f"os.open({str(path)!r}, os.O_RDONLY)") in refused
        assert error(runner, f"os.open({str(path)!r}, os.O_WRONLY)") in refused
    assert error(runner, f"os.listdir({str(ROOT / 'rubrics')!r})") in refused
    assert canary.read_text() == "secret"


def test_python_and_its_packages_can_be_read_and_not_changed(runner: Runner) -> None:
    assert got(runner, "import zoneinfo, sqlite3, ssl, xml.dom; return 1") == 1
    for path in (os.__file__, np_file()):
        assert got(runner, f"return len(open({path!r}).read()) > 9")
        for how in ("open(path, 'a')", "os.unlink(path)", "os.rename(path, path + 'x')"):
            assert error(runner, f"path = {path!r}; {how}") in ("PermissionError", "OSError")
        assert error(runner, f"os.close(os.open({path!r}, os.O_RDONLY | os.O_TRUNC))") in (
            "PermissionError",
            "OSError",
        )
        before = os.stat(path)
        got(runner, f"os.chmod({path!r}, 0o777); os.utime({path!r}, (1, 1)); return 1")
        assert os.stat(path).st_mode == before.st_mode and os.stat(path).st_mtime > 1


def np_file() -> str:
    return str(Path(sys.modules["numpy"].__file__ or ""))


def test_it_is_nobody_and_alone(runner: Runner, level: str) -> None:
    if level == "A":
        assert got(runner, "return f'{os.getpid()} {os.getppid()} {os.getuid()}'") == "1 0 65534"
    assert got(runner, "return os.getuid()") != 0


def test_every_descriptor_but_its_own_is_closed(runner: Runner) -> None:
    body = (
        "import stat; kinds = []\n"
        "    for n in range(4096):\n"
        "        try: kinds.append(oct(stat.S_IFMT(os.fstat(n).st_mode)))\n"
        "        except OSError: pass\n"
        "    return ' '.join(kinds)"
    )
    told = got(runner, body).split()
    assert told[:3] == [oct(stat.S_IFCHR), oct(stat.S_IFIFO), oct(stat.S_IFIFO)]
    assert sorted(told[3:]) == sorted([oct(stat.S_IFREG), oct(stat.S_IFSOCK)])


@pytest.fixture
def sleeping(zygote: Zygote) -> Iterator[int]:
    """The process id, as seen from here, of a submission that sleeps."""
    source = "import time\ntime.sleep(60)"
    child = Runner(zygote).child(job(source, limits=ROOMY))
    try:
        child._watch(1, 10)
        yield int(child.told["pid"])
    finally:
        child.close()


def test_seen_from_outside_it_has_nothing(sleeping: int) -> None:
    text = Path(f"/proc/{sleeping}/status").read_text()
    told = {line.partition(":")[0]: line.split()[1:] for line in text.splitlines()}
    assert "python" in told["Name"][0]
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(told[capabilities][0], 16) == 0
    if os.geteuid() == 0:
        assert int(told["CapBnd"][0], 16) == 0
        assert "0" not in told["Uid"][:3]
    assert (told["NoNewPrivs"], told["Seccomp"]) == (["1"], ["2"])


def test_its_namespaces_are_its_own(sleeping: int, level: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may look")
    names = ["user", "pid", "mnt", "ipc", "net", "uts"]
    links = {name: os.readlink(f"/proc/{sleeping}/ns/{name}") for name in names}
    own = {name for name in names if os.readlink(f"/proc/self/ns/{name}") != links[name]}
    assert own == (set(names) if level == "A" else set())


# -- what it can do ---------------------------------------------------------------------------

REFUSED = {
    "fork": "os.fork()",
    "subprocess": "import subprocess; subprocess.run(['true'])",
    "exec": "os.execv(sys.executable, ['python'])",
    "multiprocessing": "import multiprocessing as m; p = m.Process(target=print); p.start()",
    "socket": "import socket; socket.socket()",
    "unix socket": "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "datagram pair": "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "memfd": "os.memfd_create('x')",
    "setuid": "os.setuid(0)",
    "mount": "import ctypes; m = ctypes.CDLL(None, use_errno=True).mount\n"
    "    if m(b'x', b'/', b'tmpfs', 0, None): raise OSError(ctypes.get_errno(), 'mount')",
    "kill parent": "os.kill(os.getppid(), 9)",
    "kill all": "os.kill(-1, 9)",
    "kill group": "os.killpg(0, 9)",
    "tkill": "import ctypes; k = ctypes.CDLL(None, use_errno=True)\n"
    "    if k.syscall(200, os.getppid(), 9): raise OSError(ctypes.get_errno(), 'tkill')",
    "raise limit": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))",
    "other's limit": "import resource; resource.prlimit(os.getppid() or 2, resource.RLIMIT_CPU)",
    "own pid in a file": "import fcntl; fcntl.fcntl(0, 8, os.getppid())",
    "priority": "os.setpriority(os.PRIO_PROCESS, 0, 5)",
    "fifo": "os.mkfifo('x')",
    "namespace": "import ctypes; u = ctypes.CDLL(None, use_errno=True).unshare\n"
    "    if u(0x10000000): raise OSError(ctypes.get_errno(), 'unshare')",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_the_kernel_refuses(runner: Runner, body: str) -> None:
    assert error(runner, body) in ("PermissionError", "OSError", "ValueError")
    assert got(runner, "return 2") == 2


def test_what_the_kernel_does_not_know_does_not_exist(runner: Runner) -> None:
    body = (
        "import ctypes; k = ctypes.CDLL(None, use_errno=True)\n"
        "    told = []\n"
        "    for number in (435, 425, 999, 0x40000000 + 39):\n"
        "        told.append(k.syscall(number, 0, 0) == -1 and ctypes.get_errno())\n"
        "    return ' '.join(map(str, told))"
    )
    assert got(runner, body).split() == [str(errno.ENOSYS)] * 4


def test_threads_pipes_pairs_and_timers_work(runner: Runner) -> None:
    body = (
        "import asyncio, threading, time, torch, signal\n"
        "    seen = []\n"
        "    each = [threading.Thread(target=seen.append, args=(n,)) for n in range(8)]\n"
        "    [t.start() for t in each]; [t.join() for t in each]\n"
        "    torch.set_num_threads(2); torch.ones(400, 400) @ torch.ones(400, 400)\n"
        "    async def later(): await asyncio.sleep(0.01); return len(seen)\n"
        "    return asyncio.run(later())"
    )
    assert got(runner, body) == 8


def test_scratch_can_be_written_on_level_a_and_only_there(runner: Runner, level: str) -> None:
    body = (
        "import shutil, tempfile\n"
        "    with tempfile.NamedTemporaryFile() as file: file.write(b'x'); file.flush()\n"
        "    open('a', 'w').write('text'); shutil.copy('a', 'b'); os.makedirs('c/d')\n"
        "    os.rename('b', 'c/d/e'); return open('c/d/e').read() + ' ' + os.getcwd()"
    )
    if level == "A":
        assert got(runner, body) == "text /job/scratch"
        assert got(runner, "return ' '.join(os.listdir('.')) or 'empty'") == "empty"
        assert error(runner, "open('/job/x', 'w')") in ("OSError", "PermissionError")
    else:
        assert error(runner, body) in ("PermissionError", "FileNotFoundError")
        assert error(runner, "open('a', 'w')") == "PermissionError"


def test_scratch_is_small_and_runs_nothing(runner: Runner, level: str) -> None:
    if level != "A":
        pytest.skip("there is none")
    fill = (
        "try:\n"
        "        for n in range(9):\n"
        "            with open(str(n), 'wb') as file: file.write(bytes(20_000_000))\n"
        "    except OSError as error: return error.errno"
    )
    assert got(runner, fill) == errno.ENOSPC
    inodes = (
        "try:\n"
        "        for n in range(9999): open(str(n), 'w').close()\n"
        "    except OSError as error: return error.errno"
    )
    assert got(runner, inodes) == errno.ENOSPC
    run = (
        "import mmap\n"
        "    open('x', 'wb').write(bytes(4096)); fd = os.open('x', os.O_RDONLY)\n"
        "    mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)"
    )
    assert error(runner, run) == "PermissionError"


# -- limits and the end -----------------------------------------------------------------------


def test_memory_runs_out_as_an_exception(runner: Runner) -> None:
    small = replace(ROOMY, memory_mb=200)
    source = "def f(): return len(bytes(10**9))\ndef g(): return 1"
    outputs = ask(runner, source, "f", "g", limits=small)
    assert outcomes(outputs) == [Outcome.MEMORY, OK]
    caught = "def f():\n    try: bytes(10**9)\n    except MemoryError: return 7"
    assert value(ask(runner, caught, limits=small)[0]) == 7


def test_time_that_is_spent_in_c_or_with_signals_ignored_ends(runner: Runner) -> None:
    for body in ("sum(range(10**12))", "import signal; signal.pthread_sigmask(0, range(1, 65))"):
        (output,) = ask(runner, f"def f():\n    {body}\n    while True: pass", limits=TIGHT)
        assert output.outcome is TIMEOUT


def test_a_limit_on_processor_time_is_told_from_a_kill(runner: Runner) -> None:
    # Two threads use up twice the time that passes; 1 + 2 seconds are allowed.
    source = (
        "import threading, hashlib\n"
        "def spin():\n"
        "    while True: hashlib.sha256(bytes(10**7)).digest()\n"
        "def f():\n"
        "    for _ in range(6): threading.Thread(target=spin, daemon=True).start()\n"
        "    spin()\n"
    )
    limits = replace(ROOMY, seconds=1, trial_seconds=60)
    child = runner.child(job(source, limits=limits))
    assert child is not None
    child.close()
    (output,) = ask(runner, source, limits=limits)
    assert output.outcome is TIMEOUT


def test_a_death_is_told(runner: Runner) -> None:
    for body in ("import ctypes; ctypes.string_at(0)", "os.abort()", "os._exit(3)"):
        outputs = ask(runner, f"import os\ndef f():\n    {body}\ndef g(): return 1", "f", "g")
        assert outcomes(outputs) == [DIED, OK]


def test_submissions_side_by_side_do_not_disturb_one_another(runner: Runner) -> None:
    bomb = (
        "import threading, time\n"
        "threading.stack_size(65536)\n"
        "def f():\n"
        "    while True:\n"
        "        try: threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "        except RuntimeError: time.sleep(0.01)\n"
    )
    honest = (
        "import threading\ndef f(): t = threading.Thread(target=int); t.start(); t.join(); return 1"
    )
    results: list[RawOutput] = []
    tight = {"limits": TIGHT}
    bombs = [threading.Thread(target=ask, args=(runner, bomb), kwargs=tight) for _ in "ab"]
    rest = [threading.Thread(target=lambda: results.extend(ask(runner, honest))) for _ in range(6)]
    for thread in (*bombs, *rest):
        thread.start()
    for thread in (*bombs, *rest):
        thread.join()
    assert outcomes(results) == [OK] * 6


# -- the warm process -------------------------------------------------------------------------


def below(pid: int) -> list[int]:
    """Every process below one."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *below(child)]
    except OSError:
        pass
    return found


def test_its_death_takes_every_child_and_costs_one_retry(level: str) -> None:
    warm = Zygote(level)
    runner = Runner(warm)
    try:
        assert got(runner, "return 1") == 1
        assert warm._process is not None
        launcher = warm._process.pid
        family = [launcher, *below(launcher)]
        assert len(family) == (2 if level == "A" else 1)
        child = runner.child(job("import time\ntime.sleep(60)"))
        child._watch(1, 10)
        asleep = int(child.told["pid"])
        os.kill(family[-1], signal.SIGKILL)
        assert eventually(lambda: not any(Path(f"/proc/{p}").exists() for p in (*family, asleep)))
        child.close()
        assert got(runner, "return 2") == 2
    finally:
        warm.close()


@pytest.mark.parametrize("how", ["close", "abandon"])
def test_nothing_is_left_when_it_ends(level: str, how: str) -> None:
    warm = Zygote(level)
    warm.start()
    assert warm._process is not None
    launcher = warm._process.pid
    child = Runner(warm).child(job("import time\ntime.sleep(60)"))
    child._watch(1, 10)
    family = [launcher, *below(launcher), int(child.told["pid"])]
    getattr(warm, how)()
    assert eventually(lambda: not any(Path(f"/proc/{p}").exists() for p in family))
    child.close()
    warm.close()


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="these already are an ordinary user's")
def test_all_of_this_holds_for_an_ordinary_user_too() -> None:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__)
    told = as_ordinary_user(*command, seconds=280)
    assert told.returncode == 0, told.stdout[-5000:] + told.stderr[-2000:]
    passed = re.search(r"(\d+) passed", told.stdout)
    # Of those who may make no namespaces, level B's half is left.
    assert passed is not None and int(passed[1]) >= 40, told.stdout[-5000:]
