"""One job in, one RawOutput for each trial out, whatever happens. Trusted side.

`Zygote` owns the warm process; `Runner.run` asks it for a child, reads the child's frames as they
come, holds the clock, and asks for a new child from the next trial on when one is lost.
"""

import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.errors import EngineError
from grader.sandbox import wire
from grader.sandbox.outputs import OUR_FAULT, raw_output
from grader.sandbox.questions import job_tree, plan_tree
from grader.sandbox.warm import END_SECONDS, Zygote
from grader.types import Job, Limits, Outcome, RawOutput, Trial

PRINTED_BYTES_KEPT = 20_000
FRAMES_KEPT = 4
MOST_PATIENCE = 3.0
"""How many times its limit a trial may take by the clock when it gets no processor to run on."""


@dataclass(slots=True)
class _Child:
    """The trusted side of one running child."""

    results: int
    output: int
    status: int
    reader: wire.FrameReader
    frames: list[Any] = field(default_factory=list)
    printed: bytearray = field(default_factory=bytearray)
    printed_bytes: int = 0
    told: bytearray = field(default_factory=bytearray)
    stopped: RawOutput | None = None
    forged: RawOutput | None = None

    def end(self) -> dict[str, Any]:
        """What the zygote told of it, pid and wait status."""
        told: dict[str, Any] = {}
        for line in bytes(self.told).splitlines():
            told |= json.loads(line)
        return told


class Runner:
    """Runs jobs; safe to use from several threads at once."""

    def __init__(self, zygote: Zygote):
        self._zygote = zygote
        self._frames: list[tuple[tuple[Trial, ...], bytes]] = []
        self._alone = threading.Lock()

    def _encoded(self, trials: tuple[Trial, ...]) -> bytes:
        """The trials' frame; the last few are kept, since a class is asked the same questions."""
        kept = self._frames
        frame = next((frame for known, frame in kept if known is trials), None)
        if frame is None:
            frame = wire.encode(plan_tree(trials))
        others = [each for each in kept if each[0] is not trials]
        self._frames = [(trials, frame), *others][:FRAMES_KEPT]
        return frame

    def run(self, job: Job) -> tuple[RawOutput, ...]:
        """One output for each trial of the job, in order.

        Never raises for what a submission does. Our own faults come back as BROKEN outputs.
        """
        outputs: list[RawOutput] = []
        deadline = time.monotonic() + job.limits.seconds
        while len(outputs) < len(job.trials):
            rest = replace(job, trials=job.trials[len(outputs) :])
            try:
                fresh = self._run_child(rest, deadline - time.monotonic())
            except (EngineError, OSError):
                fresh = self._run_again(rest, deadline - time.monotonic())
            outputs += fresh
            outputs += _skipped(job.trials[len(outputs) :], outputs, job.trials)
        return tuple(outputs)

    def _run_again(self, job: Job, seconds: float) -> list[RawOutput]:
        """A job that was lost once more, with no other lost one beside it; else our fault.

        A submission that ends the warm process takes the jobs beside it along, which are right.
        """
        with self._alone:
            try:
                return self._run_child(job, seconds)
            except (EngineError, OSError) as error:
                return [replace(OUR_FAULT, facts={"reason": str(error)})] * len(job.trials)

    def _run_child(self, job: Job, seconds: float) -> list[RawOutput]:
        """Outputs of one child: all trials, or those up to and with the one that ended it."""
        if seconds <= 0:
            late = RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": job.limits.seconds})
            return [late] * len(job.trials)
        with ExitStack() as stack:
            scratch = tempfile.mkdtemp(prefix="grader-job-")
            stack.callback(shutil.rmtree, scratch, ignore_errors=True)
            question = wire.encode(job_tree(job)) + self._encoded(job.trials)
            source = stack.enter_context(_sealed(question))
            results, results_end = stack.enter_context(_pipe())
            output, output_end = stack.enter_context(_pipe())
            status, status_end = stack.enter_context(_pipe())
            descriptors = [source, results_end.fileno(), output_end.fileno(), status_end.fileno()]
            number = self._zygote.fork(job.limits, scratch, descriptors)
            for end in (results_end, output_end, status_end):
                end.close()
            caps = wire.Caps(payload_bytes=job.limits.result_bytes)
            child = _Child(
                results.fileno(), output.fileno(), status.fileno(), wire.FrameReader(caps)
            )
            try:
                self._watch(child, job, seconds, number)
            finally:
                self._zygote.kill(number)
            return _outputs(child, job)

    def _watch(self, child: _Child, job: Job, seconds: float, number: int) -> None:
        """Reads until the child has ended, and ends it when it breaks a limit."""
        started = last = time.monotonic()
        patient = True
        limit = started + seconds
        trial_limit = min(limit, started + job.limits.trial_seconds)
        open_descriptors = {child.results, child.output, child.status}
        while child.status in open_descriptors:
            wait = max(0.0, trial_limit - time.monotonic())
            ready, _, _ = select.select(open_descriptors, [], [], wait)
            if not ready and child.stopped is None and patient and _starved(child, started):
                trial_limit = min(limit, last + MOST_PATIENCE * job.limits.trial_seconds)
                patient = False
            elif not ready and child.stopped is None:
                over = job.limits.seconds if trial_limit == limit else job.limits.trial_seconds
                child.stopped = RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": over})
            elif not ready:
                self._zygote.abandon()
                raise EngineError(f"expected a killed child to end within {END_SECONDS} seconds")
            for descriptor in ready:
                data = os.read(descriptor, 1 << 20)
                if not data:
                    open_descriptors.discard(descriptor)
                    continue
                before = len(child.frames)
                _take(child, descriptor, data, job)
                if len(child.frames) > before:
                    last, patient = time.monotonic(), True
                    trial_limit = min(limit, last + job.limits.trial_seconds)
            if child.stopped is not None:
                self._zygote.kill(number)
                trial_limit = limit = time.monotonic() + END_SECONDS
                open_descriptors &= {child.status}
        for descriptor in (child.results, child.output):
            for data in _left_over(descriptor):
                _take(child, descriptor, data, job)


def _starved(child: _Child, started: float) -> bool:
    """Whether a child wants to run and has had less than half a processor since it started.

    On a loaded machine a right answer must not run out of time. One that sleeps is not starved.
    """
    try:
        fields = Path(f"/proc/{child.end()['pid']}/stat").read_text().rpartition(") ")[2].split()
    except (OSError, KeyError):
        return False
    ticks = int(fields[11]) + int(fields[12])
    wanted = 0.5 * (time.monotonic() - started) * os.sysconf("SC_CLK_TCK")
    return fields[0] == "R" and ticks < wanted


def _take(child: _Child, descriptor: int, data: bytes, job: Job) -> None:
    """Adds what was read; a broken rule is noted in `child.stopped`."""
    if descriptor == child.status:
        child.told += data
        return
    if descriptor == child.output:
        child.printed_bytes += len(data)
        child.printed += data[: PRINTED_BYTES_KEPT - len(child.printed)]
        if child.printed_bytes > job.limits.output_bytes:
            megabytes = job.limits.output_bytes / 1e6
            child.stopped = RawOutput(outcome=Outcome.FLOOD, facts={"megabytes": megabytes})
        return
    try:
        child.frames += child.reader.feed(data)
        if len(child.frames) > len(job.trials) + 2:
            raise wire.WireError("expected one frame for each trial, got more")
    except wire.WireError as error:
        facts = {"reason": "frame", "got": str(error)}
        child.forged = child.stopped = RawOutput(outcome=Outcome.UNREADABLE, facts=facts)


def _left_over(descriptor: int) -> Iterator[bytes]:
    """What is still in a pipe whose writer has ended, or may be held open by nobody we wait for."""
    os.set_blocking(descriptor, False)
    try:
        while data := os.read(descriptor, 1 << 20):
            yield data
    except BlockingIOError:
        return


def _outputs(child: _Child, job: Job) -> list[RawOutput]:
    """What the child's frames say, and why there is none for the trial that ended it."""
    printed = child.printed.decode("utf-8", "replace")
    if child.forged is not None:
        return [child.forged] * len(job.trials)
    end = child.end()
    if not child.frames:
        raise EngineError(f"expected a child to set itself up, but it ended: {end} {printed}")
    answers = zip(child.frames[1:], (None, *job.trials), strict=False)
    outputs = [raw_output(frame, trial, job, printed) for frame, trial in answers]
    if outputs and outputs[0].outcome is not Outcome.OK:
        return [replace(outputs[0], facts={**outputs[0].facts, "loading": True})] * len(job.trials)
    outputs = outputs[1:]
    if len(outputs) == len(job.trials):
        return outputs
    if "pid" not in end or "status" not in end:
        raise EngineError("expected to be told how a child ended; the warm process is gone")
    lost = child.stopped or _died(end, job.limits)
    if len(child.frames) < 2:
        return [replace(lost, facts={**lost.facts, "loading": True})] * len(job.trials)
    return [*outputs, replace(lost, stdout=printed)]


def _died(end: Mapping[str, Any], limits: Limits) -> RawOutput:
    status = end["status"]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU or end["cpu_seconds"] > limits.seconds:
            return RawOutput(outcome=Outcome.TIMEOUT, facts={"seconds": limits.seconds})
        return RawOutput(outcome=Outcome.DIED, facts={"signal": signal.Signals(number).name})
    return RawOutput(outcome=Outcome.DIED, facts={"signal": f"exit {os.WEXITSTATUS(status)}"})


def _skipped(
    rest: tuple[Trial, ...], outputs: list[RawOutput], trials: tuple[Trial, ...]
) -> Iterator[RawOutput]:
    """After a trial that took too long or printed too much, its entry is not run again."""
    if outputs[-1].outcome not in (Outcome.TIMEOUT, Outcome.FLOOD):
        return
    entry = trials[len(outputs) - 1].entry
    for trial in itertools.takewhile(lambda trial: trial.entry == entry, rest):
        yield RawOutput(outcome=Outcome.SKIPPED, facts={"entry": trial.entry})


@contextmanager
def _pipe() -> Iterator[tuple[Any, Any]]:
    """Both ends as raw files, each closed at the end unless it is already."""
    read, write = os.pipe()
    with open(read, "rb", buffering=0) as reading, open(write, "wb", buffering=0) as writing:
        yield reading, writing


@contextmanager
def _sealed(data: bytes) -> Iterator[int]:
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
