"""The warm process as the trusted side holds it: started once, asked for children, ended.

Trusted side. `zygote.py` is what runs in it.
"""

import itertools
import json
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import EngineError
from grader.sandbox.turns import Turn, Turns
from grader.types import Limits

START_SECONDS = 60.0
END_SECONDS = 10.0
SCRIPT = Path(__file__).with_name("zygote.py")
FILE_BYTES = 50_000_000
CLEAN_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "CUDA_VISIBLE_DEVICES": "",
    # Set before the interpreter starts: an OpenMP region with two threads in the zygote would
    # make every threaded operation in a child hang.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Each arena maps 64 MiB of address space for each thread, which the memory limit counts.
    "MALLOC_ARENA_MAX": "2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How submissions are shut in here."""

    level: str
    """"A" (namespaces, Landlock, seccomp, limits), "B" (without namespaces) or "E" (limits)."""
    refused: Mapping[str, str]
    """Stricter levels that were tried, and why each can't be had."""
    readable: tuple[str, ...]
    """Folders that every submission may read."""


class Zygote:
    """The warm process, started on first use by a thread of its own and ended by `close`.

    Linux sends the parent-death signal when the *thread* that started a process ends, so that
    thread lives as long as the zygote does.
    """

    def __init__(self, level: str | None = None) -> None:
        """Nothing is started yet.

        Args:
            level: the level of isolation, "A", "B" or "E"; None for the strictest there is.
        """
        self._asked = level
        self._isolation: Isolation | None = None
        self._turns = Turns()
        self._lock = threading.Lock()
        self._ids = itertools.count()
        self._control: socket.socket | None = None
        self._begun: tuple[socket.socket, queue.Queue[Exception | None]] | None = None
        self._owner: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.versions: Mapping[str, str] = {}
        self.training = True
        """Whether it is warmed for optimisers too; to be set before it is started."""

    def fork(self, limits: Limits, scratch: str, descriptors: list[int]) -> int:
        """Asks for a child that gets `descriptors`; its id for `kill`.

        Raises:
            EngineError: the zygote can't be started.
            OSError: it is gone as soon as it has started.
        """
        with self._lock:
            job = next(self._ids)
            request = {
                "fork": job,
                "scratch": scratch,
                "asked": time.monotonic(),
                "limits": {
                    "memory_bytes": limits.memory_mb * 2**20,
                    "cpu_seconds": int(limits.seconds) + 2,
                    "file_bytes": FILE_BYTES,
                },
            }
            message = [json.dumps(request).encode()]
            try:
                socket.send_fds(self._started(), message, descriptors)
            except OSError:  # it died since the last job, which need not cost this one
                self._forget()
                socket.send_fds(self._started(), message, descriptors)
            return job

    def isolation(self) -> Isolation:
        """The level in force; found out without the cost of torch where nothing is started yet.

        Raises:
            EngineError: the level that was asked for, or any at all, can't be had.
        """
        with self._lock:
            if self._isolation is None and (self._asked is not None or self._begun is not None):
                self._started()
            elif self._isolation is None:
                self._isolation = _probe()
            assert self._isolation is not None
            return self._isolation

    def turn(self) -> Turn:
        """To be held for as long as one submission is at work.

        Without namespaces the limit on threads counts all that a user has, so that one submission
        could leave none to another: at level B each is alone.
        """
        try:
            level = self.isolation().level
        except EngineError:  # which `fork` says too, where it is recorded
            level = ""
        return Turn(self._turns, alone=level == "B")

    def kill(self, job: int) -> None:
        """Ends a child and everything below it."""
        with self._lock:
            if self._control is not None:
                try:
                    self._control.send(json.dumps({"kill": job}).encode())
                except OSError:
                    self._forget()

    def abandon(self) -> None:
        """Ends a zygote that no longer answers, and every child; the next job starts another."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
            self._forget()

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    def begin(self) -> None:
        """Lets the process start while something else is done; what goes wrong is said later."""
        with self._lock:
            if self._control is None and self._begun is None:
                self._begin()

    def start(self) -> Mapping[str, str]:
        """Versions of torch and NumPy in the workers; starts the zygote if need be."""
        with self._lock:
            self._started()
        return self.versions

    def close(self) -> None:
        """Ends the zygote and every child."""
        with self._lock:
            self._forget()
            if self._begun is not None:
                self._begun[0].close()
                self._begun = None
            if self._owner is not None:
                self._owner.join(END_SECONDS)
                if self._process is not None:
                    self._process.kill()
                self._owner.join()
                self._owner = None

    def _started(self) -> socket.socket:
        if self._control is None:
            ours, failures = self._begun or self._begin()
            self._begun = None
            try:
                ours.send(json.dumps({"training": self.training}).encode())
            except OSError:
                pass  # it ended already, which the other thread says
            if (failure := failures.get()) is not None:
                ours.close()
                raise failure
            self._control = ours
        return self._control

    def _begin(self) -> tuple[socket.socket, queue.Queue[Exception | None]]:
        failures: queue.Queue[Exception | None] = queue.Queue()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._owner = threading.Thread(
            target=self._own, args=(ours, theirs, failures), name="zygote", daemon=True
        )
        self._begun = ours, failures
        self._owner.start()
        return self._begun

    def _own(self, ours: socket.socket, theirs: socket.socket, failures: queue.Queue[Any]) -> None:
        try:
            self._serve(ours, theirs, failures)
        except (EngineError, OSError) as error:
            failures.put(error)

    def _serve(
        self, ours: socket.socket, theirs: socket.socket, failures: queue.Queue[Any]
    ) -> None:
        with ExitStack() as stack:
            stack.enter_context(theirs)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-zygote-"))
            log = stack.enter_context(tempfile.TemporaryFile())
            level = self._asked or (self._isolation.level if self._isolation else "best")
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(SCRIPT), str(theirs.fileno()), level],
                pass_fds=[theirs.fileno()],
                env=CLEAN_ENVIRONMENT | {"TMPDIR": folder},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # A Ctrl-C at the terminal is ours to handle; it would end the warm process first.
                start_new_session=True,
            )
            stack.enter_context(self._process)  # waits for its end
            theirs.close()
            ours.settimeout(START_SECONDS)
            try:
                ready = json.loads(ours.recv(65536) or b"{}")
            except (OSError, ValueError):
                ready = {}
            if ready.get("threads") is None and ready.get("refused"):
                raise EngineError(
                    f"expected isolation level {level}, got {ready['refused'][level]}; "
                    "see what can be had here with: grader doctor"
                )
            if ready.get("threads") != 1:
                self._process.kill()
                log.seek(0)
                said = log.read()[-2000:].decode(errors="replace") or f"answered {ready}"
                raise EngineError(f"expected a warm process with one thread, got: {said}")
            ours.settimeout(None)
            if self._isolation is None:
                self._isolation = _isolation(ready)
            self.versions = {"torch": ready["torch"], "numpy": ready["numpy"]}
            failures.put(None)


def _probe() -> Isolation:
    """What can be had here, found out by doing it in a process that is thrown away."""
    try:
        tried = subprocess.run(
            [sys.executable, "-I", "-B", str(SCRIPT), "probe"],
            env=CLEAN_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            timeout=START_SECONDS,
        )
        told = json.loads(tried.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"expected to find out the isolation level, got: {error}") from error
    return _isolation(told)


def _isolation(told: Mapping[str, Any]) -> Isolation:
    return Isolation(level=told["level"], refused=told["refused"], readable=tuple(told["readable"]))
