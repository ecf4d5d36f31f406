"""What commands cost: wall time, CPU time and peak memory of all their processes.

Memory is proportional set size, summed over the tree and looked at again and again; looking takes
at most a twentieth of one core.
"""

import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SHARE_OF_A_CORE = 0.05
SHORTEST_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to start."""

    name: str
    """What it is for, such as a student's name."""
    argv: tuple[str, ...]
    """The program and its arguments."""
    cwd: Path
    """Where it runs."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What is set beside the environment of the benchmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    stdout: str
    """What it printed."""
    stderr: str
    """What it said besides."""
    status: int | None
    """Its exit status; None where it had to be stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What running them took."""

    wall_seconds: float
    """From the start of the first to the end of the last."""
    cpu_seconds: float
    """User and system time of every process that ended below them."""
    peak_bytes: int
    """Most proportional set size at once."""


def run(commands: list[Command], at_once: int, cap_seconds: float) -> tuple[Cost, dict[str, Ran]]:
    """Runs the commands, some at a time; each is stopped after `cap_seconds`."""
    # So that whatever a command leaves behind is ours to count and to end.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, started = _children_seconds(), time.perf_counter()
    with Sampler() as sampler, ThreadPoolExecutor(at_once) as threads:
        ended = list(threads.map(lambda command: _one(command, cap_seconds), commands))
    wall = time.perf_counter() - started
    _end_what_is_left()
    cost = Cost(
        wall_seconds=wall,
        cpu_seconds=_children_seconds() - before,
        peak_bytes=sampler.peak_bytes,
    )
    return cost, {command.name: ran for command, ran in zip(commands, ended, strict=True)}


def _one(command: Command, cap_seconds: float) -> Ran:
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env={**os.environ, **command.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=cap_seconds)
        return Ran(stdout=out, stderr=err, status=process.returncode)
    except subprocess.TimeoutExpired:
        for pid in [*descendants(process.pid), process.pid]:
            _kill(pid)
        out, err = process.communicate()
        return Ran(stdout=out, stderr=err, status=None)


class Sampler:
    """Watches the memory of everything below this process until it is left."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = SHORTEST_SECONDS
        while not self._over.wait(pause):
            started = time.thread_time()
            self.peak_bytes = max(self.peak_bytes, sum(map(pss, descendants(os.getpid()))))
            pause = max(SHORTEST_SECONDS, (time.thread_time() - started) / SHARE_OF_A_CORE)


def descendants(pid: int) -> list[int]:
    """Every process below one, nearest first."""
    found, waiting = [], [pid]
    while waiting:
        below = _children(waiting.pop(0))
        found += below
        waiting += below
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        texts = [Path(f"/proc/{pid}/task/{task}/children").read_text() for task in tasks]
    except OSError:
        return []
    return [int(word) for text in texts for word in text.split()]


def pss(pid: int) -> int:
    """Proportional set size of a process, in bytes; 0 for one that is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_what_is_left() -> None:
    for pid in descendants(os.getpid()):
        _kill(pid)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
