"""One forked child as the trusted side holds it: asked, watched by the clock, ended.

`runner` decides what to ask and what to make of a child that was lost; `warm` owns the process
that forks.
"""

import itertools
import json
import os
import select
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from grader.errors import EngineError
from grader.sandbox.heard import Heard
from grader.sandbox.warm import END_SECONDS, Zygote
from grader.types import Limits, Outcome, RawOutput

try:
    import fcntl
except ImportError:  # where there is no Unix, nothing is sealed
    pass

PATIENCE = 2.0
"""How many times a limit is given besides, at most, for the time without a processor to run on."""
PAUSE_SECONDS = 0.002
"""So that several answers are read at once: to wake up for each costs both sides."""


class Child(Heard):
    """One child at work on one submission, from its fork to its end."""

    def __init__(
        self, zygote: Zygote, places: AbstractContextManager[Any], job: bytes, limits: Limits
    ):
        """Forks, as soon as there is a place.

        Args:
            zygote: the process to fork.
            places: what holds a place for as long as the child lives.
            job: the job's frame.
            limits: what the child may use.

        Raises:
            EngineError: the zygote can't be started.
            OSError: it is gone, or there is no descriptor or scratch folder to be had.
        """
        super().__init__(limits)
        self._zygote = zygote
        self._told, self._dying = bytearray(), False
        with ExitStack() as stack:
            stack.enter_context(places)
            scratch = tempfile.mkdtemp(prefix="grader-job-")
            stack.callback(clear, scratch)
            self._results, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            stack.callback(self._results.close)
            with ExitStack() as given_away:
                given_away.callback(theirs.close)
                given = [given_away.enter_context(sealed(job)), theirs.fileno()]
                ends = []
                for _ in ("output", "status"):
                    reading, writing = os.pipe()
                    stack.callback(os.close, reading)
                    given_away.callback(os.close, writing)
                    ends.append(reading)
                    given.append(writing)
                self._output, self._status = ends
                self._number = zygote.fork(limits, scratch, given)
            self._open = stack.pop_all()
        self._poll = select.poll()
        for descriptor in (self._results.fileno(), self._output, self._status):
            self._poll.register(descriptor, select.POLLIN)

    @property
    def told(self) -> dict[str, Any]:
        """What the zygote told of it: its pid; once it has ended, its wait status and CPU time."""
        told: dict[str, Any] = {}
        for line in bytes(self._told).splitlines():
            told |= json.loads(line)
        return told

    def _send(self, plan: bytes, seconds: float) -> None:
        with sealed(plan) as descriptor:
            try:
                socket.send_fds(self._results, [b"p"], [descriptor])
            except OSError:  # it is gone, or has closed its end: what it has told says which
                self._stop(None)
            self._watch(self._allowed, seconds)

    def death(self) -> RawOutput:
        """How a child that nobody stopped came to its end.

        Raises:
            EngineError: nobody told: the zygote is gone too.
        """
        if "status" not in self.told:
            raise EngineError("expected to be told how a child ended; the warm process is gone")
        return death(self.told, self._limits)

    def close(self) -> None:
        """Ends the child, and waits until everything below it is gone.

        Raises:
            EngineError: it did not end.
        """
        try:
            if not self.ended:
                self._stop(None)
                self._watch(len(self.frames) + 1, END_SECONDS)
        finally:
            self._open.close()

    def _stop(self, why: RawOutput | None) -> None:
        self.stopped = self.stopped or why
        self._dying = True
        self._zygote.kill(self._number)

    def _watch(self, wanted: int, seconds: float) -> None:
        """Reads until that many frames have come or the child has ended."""
        started = last = time.monotonic()
        waited_before, trial_seconds = waited(self.told), self._limits.trial_seconds
        limit = started + seconds
        until = limit if self._dying else min(limit, started + trial_seconds)
        while not self.ended and (len(self.frames) < wanted or self._dying):
            before, dying = len(self.frames), self._dying
            ready = self._poll.poll(max(0.0, until - time.monotonic()) * 1e3)
            if ready and not self._dying:
                time.sleep(PAUSE_SECONDS)
            for descriptor, _ in ready:
                self._read(descriptor)
            if not ready and dying:
                self._zygote.abandon()
                raise EngineError(f"expected a killed child to end within {END_SECONDS} seconds")
            if not ready:
                lacked = waited(self.told) - waited_before
                limit = started + seconds + min(lacked, PATIENCE * seconds)
                until = min(limit, last + trial_seconds + min(lacked, PATIENCE * trial_seconds))
                if until <= time.monotonic():
                    over = self._limits.seconds if until == limit else trial_seconds
                    self._stop(RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": over}))
            elif len(self.frames) > before:
                last = time.monotonic()
                until = min(limit, last + trial_seconds)
            if self._dying and not dying:
                until = time.monotonic() + END_SECONDS
        self.lacked_seconds += min(waited(self.told) - waited_before, PATIENCE * seconds)
        for descriptor in (self._results.fileno(), self._output):
            for data in _left_over(descriptor):
                self._take(descriptor, data)

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, 1 << 20)
        except ConnectionResetError:  # it ended with a plan unread
            data = b""
        if data:
            self._take(descriptor, data)
            return
        self._poll.unregister(descriptor)
        self.ended = self.ended or descriptor == self._status

    def _take(self, descriptor: int, data: bytes) -> None:
        """Adds what was read; a broken rule ends the child."""
        if descriptor == self._status:
            self._told += data
        elif descriptor == self._output:
            self._take_output(data)
        else:
            self._take_results(data)


def clear(folder: str) -> None:
    """Removes a folder that student code has filled: however deep, whatever it has locked.

    What can't be removed stays: it harms nobody, and is no reason to lose a mark.
    """
    names = itertools.count()
    waiting = [folder]
    while waiting:
        within = waiting.pop()
        try:
            os.chmod(within, 0o700)
            for entry in list(os.scandir(within)):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                # Taken up, so that no path grows longer than the system takes.
                os.chmod(entry.path, 0o700)
                taken_up = f"{folder}.{next(names)}"
                os.rename(entry.path, taken_up)
                waiting.append(taken_up)
            os.rmdir(within)
        except OSError:
            continue


def waited(told: Mapping[str, Any]) -> float:
    """Seconds for which a child wanted to run and had no processor, since it began.

    On a loaded machine a right answer must not run out of time. One that sleeps lacks nothing, and
    where the system does not say it (Linux does), nobody does.
    """
    try:
        return int(Path(f"/proc/{told['pid']}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, KeyError, IndexError):
        return 0.0


def death(told: Mapping[str, Any], limits: Limits) -> RawOutput:
    """How a child that nobody stopped came to its end."""
    status = told["status"]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU or told["cpu_seconds"] > limits.seconds:
            return RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": limits.seconds})
        return RawOutput(outcome=Outcome.DIED, facts={"signal": signal.Signals(number).name})
    return RawOutput(outcome=Outcome.DIED, facts={"signal": f"exit {os.WEXITSTATUS(status)}"})


def _left_over(descriptor: int) -> Iterator[bytes]:
    """What can be read at once."""
    os.set_blocking(descriptor, False)
    try:
        while data := os.read(descriptor, 1 << 20):
            yield data
    except (BlockingIOError, ConnectionResetError):
        return
    finally:
        os.set_blocking(descriptor, True)


@contextmanager
def sealed(data: bytes) -> Iterator[int]:
    """A descriptor that holds `data` and that nobody can write to."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("job", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        descriptor, path = tempfile.mkstemp(prefix="grader-job-")
        os.unlink(path)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if hasattr(os, "memfd_create"):
            seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        yield descriptor
    finally:
        os.close(descriptor)
