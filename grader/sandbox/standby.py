"""Standby processes as the trusted side holds them, where there is no fork to be had.

One waits, torch already imported, for the next job; when it has done that, the next one is started.
The level of isolation is E: an ordinary process with a clock and what limits the system knows.
`waiting.py` is what runs in it.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from grader.errors import EngineError
from grader.sandbox.heard import Heard
from grader.sandbox.turns import Turn, Turns
from grader.sandbox.warm import (
    CLEAN_ENVIRONMENT,
    END_SECONDS,
    FILE_BYTES,
    SCRIPT,
    START_SECONDS,
    Isolation,
)
from grader.types import Limits, Outcome, RawOutput

LENGTH_BYTES = 8
COMMAND = [sys.executable, "-I", "-B", "-X", "utf8", str(SCRIPT), "standby"]
NEEDED_BY_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "PROCESSOR_ARCHITECTURE")
Said = tuple[str, bytes]


class _Readable(Protocol):
    def fileno(self) -> int: ...


class Process:
    """One process, warming up or at work."""

    def __init__(self, training: bool):
        """Starts it, in a folder of its own."""
        self.scratch = tempfile.mkdtemp(prefix="grader-job-")
        kept = {name: os.environ[name] for name in NEEDED_BY_WINDOWS if name in os.environ}
        self._popen = subprocess.Popen(
            [*COMMAND, "training" if training else "plain"],
            env=CLEAN_ENVIRONMENT | kept,
            cwd=self.scratch,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # A group of its own: a Ctrl-C at the terminal is ours to handle.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.said: queue.Queue[Said] = queue.Queue()
        """What came: its stream ("results" or "output") and the bytes; "status" at its end."""
        assert self._popen.stdout is not None and self._popen.stderr is not None
        self._threads = [
            threading.Thread(target=self._pump, args=(name, stream), daemon=True)
            for name, stream in (("results", self._popen.stdout), ("output", self._popen.stderr))
        ]
        for thread in [*self._threads, threading.Thread(target=self._wait, daemon=True)]:
            thread.start()

    def ready(self) -> Mapping[str, str]:
        """Versions of torch and NumPy in it, once it is warm.

        Raises:
            EngineError: it did not get there.
        """
        heard, printed, until = bytearray(), bytearray(), time.monotonic() + START_SECONDS
        while True:
            size = int.from_bytes(heard[:LENGTH_BYTES])
            if len(heard) >= LENGTH_BYTES + size > LENGTH_BYTES:
                told: Mapping[str, str] = json.loads(heard[LENGTH_BYTES:])
                return told
            try:
                stream, data = self.said.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                stream, data = "status", b""
            if stream == "status":
                self.close()
                said = printed[-2000:].decode(errors="replace") or "nothing"
                raise EngineError(f"expected a standby process that is warm, got: {said}")
            (heard if stream == "results" else printed).extend(data)

    def send(self, message: bytes) -> None:
        """Sends one message.

        Raises:
            OSError: it is gone.
        """
        assert self._popen.stdin is not None
        view = memoryview(len(message).to_bytes(LENGTH_BYTES) + message)
        while view:
            view = view[self._popen.stdin.write(view) or 0 :]

    def kill(self) -> None:
        """Ends it, and what it started as far as the system can tell."""
        if hasattr(os, "killpg"):
            try:
                os.killpg(self._popen.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # it has ended already
        self._popen.kill()

    def close(self) -> None:
        """Ends it and removes its folder.

        Raises:
            EngineError: it did not end.
        """
        self.kill()
        try:
            self._popen.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise EngineError("expected a killed process to end, it did not") from error
        for thread in self._threads:
            thread.join(END_SECONDS)
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def code(self) -> int | None:
        """How it ended; None before."""
        return self._popen.poll()

    def _pump(self, name: str, stream: _Readable) -> None:
        while data := os.read(stream.fileno(), 1 << 16):
            self.said.put((name, data))

    def _wait(self) -> None:
        self._popen.wait()
        for thread in self._threads:
            thread.join(0.5)  # what a process that it left behind still says is not waited for
        self.said.put(("status", b""))


class Standby:
    """Starts processes ahead of the jobs that they are for; as `Zygote`, where there is no fork."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._lock, self._turns = threading.Lock(), Turns()
        self._spare: Process | None = None
        self.versions: Mapping[str, str] = {}
        self.training = True
        """Whether processes are warmed for optimisers too."""

    def begin(self) -> None:
        """Lets the next process start while something else is done."""
        with self._lock:
            if self._spare is None:
                self._spare = Process(self.training)

    def take(self) -> Process:
        """A warm process.

        Raises:
            EngineError: none can be started.
        """
        with self._lock:
            process, self._spare = self._spare, None
        process = process or Process(self.training)
        self.versions = process.ready()
        return process

    def start(self) -> Mapping[str, str]:
        """Versions of torch and NumPy in the workers."""
        if not self.versions:
            process = self.take()
            with self._lock:
                old, self._spare = self._spare, None
            process.close()
            if old is not None:
                old.close()
        return self.versions

    def isolation(self) -> Isolation:
        """Level E; the stricter ones are made of what Linux has."""
        refused = dict.fromkeys("AB", f"needs Linux; this is {sys.platform}")
        return Isolation(level="E", refused=refused, readable=("/",))

    def turn(self) -> Turn:
        """To be held for as long as one submission is at work."""
        return Turn(self._turns)

    def close(self) -> None:
        """Ends the process that waits."""
        with self._lock:
            if self._spare is not None:
                self._spare.close()
                self._spare = None


class Started(Heard):
    """A standby process at work on one submission."""

    def __init__(
        self, standby: Standby, places: AbstractContextManager[Any], job: bytes, limits: Limits
    ):
        """Gives the job to a warm process, as soon as there is a place.

        Raises:
            EngineError: none can be started.
            OSError: it is gone already.
        """
        super().__init__(limits)
        self._standby = standby
        with ExitStack() as stack:
            stack.enter_context(places)
            self._process = standby.take()
            stack.callback(self._process.close)
            told = {
                "scratch": self._process.scratch,
                "memory_bytes": limits.memory_mb * 2**20,
                "cpu_seconds": int(limits.seconds) + 2,
                "file_bytes": FILE_BYTES,
            }
            self._process.send(json.dumps(told).encode())
            self._process.send(job)
            self._open = stack.pop_all()

    def _send(self, plan: bytes, seconds: float) -> None:
        try:
            self._process.send(plan)
        except OSError:  # it has ended: what it left says how
            pass
        started = time.monotonic()
        limit, until = started + seconds, started + min(seconds, self._limits.trial_seconds)
        while not self.ended and len(self.frames) < self._allowed:
            before = len(self.frames)
            try:
                stream, data = self._process.said.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                if self.stopped is not None:
                    raise EngineError("expected a killed process to end, it did not") from None
                over = self._limits.seconds if until >= limit else self._limits.trial_seconds
                self._stop(RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": over}))
                until = time.monotonic() + END_SECONDS
                continue
            self._take(stream, data)
            if len(self.frames) > before and self.stopped is None:
                until = min(limit, time.monotonic() + self._limits.trial_seconds)

    def _take(self, stream: str, data: bytes) -> None:
        if stream == "status":
            self.ended = True
        elif stream == "output":
            self._take_output(data)
        else:
            self._take_results(data)

    def _stop(self, why: RawOutput | None) -> None:
        self.stopped = self.stopped or why
        self._process.kill()

    def death(self) -> RawOutput:
        """How one that nobody stopped came to its end."""
        code = self._process.code
        if code is None:
            raise EngineError("expected to know how a process ended, but it has not")
        if code == -getattr(signal, "SIGXCPU", 0):
            return RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": self._limits.seconds})
        named = code < 0 and -code in set(signal.Signals)
        told = signal.Signals(-code).name if named else f"exit {code}"
        return RawOutput(outcome=Outcome.DIED, facts={"signal": told})

    def close(self) -> None:
        """Ends the process; the next one begins to warm up."""
        self._open.close()
        self.ended = True
        self._standby.begin()
