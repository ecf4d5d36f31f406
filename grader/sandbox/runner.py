"""Questions to a submission in, one RawOutput for each out, whatever happens. Trusted side.

`Runner.open` begins a conversation with one submission: what was answered may decide what is asked
next, and hidden trials reach the child only once every public one before them has been answered, so
that nothing of them can be carried out in a public answer. A child that is lost costs the trial
that it was at; a new one goes on with the next.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from grader.errors import EngineError
from grader.sandbox import wire
from grader.sandbox.child import Child
from grader.sandbox.heard import ANNOUNCEMENTS, Heard
from grader.sandbox.outputs import OUR_FAULT, raw_output
from grader.sandbox.questions import job_tree, plan_tree
from grader.sandbox.standby import Standby, Started
from grader.sandbox.stopwatch import stage
from grader.sandbox.turns import Turn
from grader.sandbox.warm import Isolation, Zygote
from grader.types import Job, Outcome, RawOutput, Trial

PLANS_KEPT = 16
MOST_AT_ONCE = 64

Ask = Callable[[tuple[Trial, ...]], tuple[RawOutput, ...]]
"""Asks a submission further trials; one output for each, in order."""

Open = Callable[[Job], AbstractContextManager[Ask]]
"""Begins a conversation with a submission."""


class Runner:
    """Runs jobs; safe to use from several threads at once."""

    def __init__(self, zygote: Zygote | Standby, at_once: int = MOST_AT_ONCE):
        """A runner of processes that `zygote` gives, at most `at_once` of them at a time."""
        self._zygote = zygote
        self._places = threading.BoundedSemaphore(at_once)
        self._plans: dict[tuple[int, ...], tuple[tuple[Trial, ...], bytes]] = {}

    def run(self, job: Job) -> tuple[RawOutput, ...]:
        """One output for each trial of the job, in order.

        Never raises for what a submission does. Our own faults come back as BROKEN outputs.
        """
        with self.open(job) as ask:
            return ask(job.trials)

    @contextmanager
    def open(self, job: Job) -> Iterator[Ask]:
        """A conversation with one submission, in one child for as long as that lives.

        The trials that are asked are given to what is yielded, not taken from the job. A thread
        has one at a time.
        """
        with self._zygote.turn() as turn:
            conversation = _Conversation(self, job, turn)
            try:
                yield conversation.ask
            finally:
                conversation.part()

    def isolation(self) -> Isolation:
        """How submissions are shut in."""
        return self._zygote.isolation()

    def child(self, job: Job) -> Heard:
        """A new process that loads the job's submission, as soon as there is a place for it."""
        tree = wire.encode(job_tree(job))
        if isinstance(self._zygote, Standby):
            return Started(self._zygote, self._places, tree, job.limits)
        return Child(self._zygote, self._places, tree, job.limits)

    def plan(self, trials: tuple[Trial, ...]) -> bytes:
        """The trials' frame; the last few are kept, since a class is asked the same questions."""
        key = tuple(map(id, trials))
        # With the trials, so that no other object can come by their ids. The mapping is replaced,
        # never changed, since other threads look into it meanwhile; the last used stands last.
        plan = self._plans.get(key) or (trials, wire.encode(plan_tree(trials)))
        others = [(known, each) for known, each in self._plans.items() if known != key]
        self._plans = {**dict(others[1 - PLANS_KEPT :]), key: plan}
        return plan[1]


class _Conversation:
    """What is asked of one submission, and what became of it."""

    def __init__(self, runner: Runner, job: Job, turn: Turn):
        self._runner, self._job, self._turn = runner, job, turn
        self._seconds = job.limits.seconds
        self._child: Heard | None = None
        self._spent: set[str] = set()
        self._over: RawOutput | None = None

    @stage("talk")
    def ask(self, trials: tuple[Trial, ...]) -> tuple[RawOutput, ...]:
        """One output for each trial, in order."""
        outputs: list[RawOutput] = []
        for _, group in itertools.groupby(trials, key=lambda trial: trial.hidden):
            outputs += self._answers(tuple(group))
        return tuple(outputs)

    @stage("end")
    def part(self) -> None:
        """Ends the child, if there is one; one that does not end costs nobody a mark."""
        child, self._child = self._child, None
        if child is not None:
            try:
                child.close()
            except EngineError:
                pass  # the warm process was given up with every child; the next job starts another

    def _answers(self, trials: tuple[Trial, ...]) -> list[RawOutput]:
        """Outputs for trials that may be known together."""
        outputs: list[RawOutput] = []
        while len(outputs) < len(trials):
            rest = trials[len(outputs) :]
            if self._over is not None:
                outputs += [self._over] * len(rest)
            elif rest[0].entry in self._spent:
                facts = {"entry": rest[0].entry}
                outputs.append(RawOutput(outcome=Outcome.SKIPPED, facts=facts))
            else:
                wanted = tuple(itertools.takewhile(lambda t: t.entry not in self._spent, rest))
                outputs += self._exchange(wanted)
                if outputs and outputs[-1].outcome in (Outcome.TIMEOUT, Outcome.FLOOD):
                    self._spent.add(trials[len(outputs) - 1].entry)
        return outputs

    def _exchange(self, trials: tuple[Trial, ...]) -> list[RawOutput]:
        """Outputs of one child: for all trials, or up to and with the one that ended it.

        A job that was lost is tried once more, alone, before it is our fault: a submission that
        ends the warm process takes the jobs beside it along. One that is lost then too is asked
        nothing more.
        """
        try:
            return self._asked(trials)
        except (EngineError, OSError):
            self.part()
        self._turn.alone()
        try:
            return self._asked(trials)
        except (EngineError, OSError) as error:
            self.part()
            self._over = replace(OUR_FAULT, facts={"reason": str(error)})
            return [self._over] * len(trials)

    def _asked(self, trials: tuple[Trial, ...]) -> list[RawOutput]:
        limits = self._job.limits
        if self._seconds <= 0:
            facts = {"seconds": limits.seconds}
            return [RawOutput(outcome=Outcome.TIMEOUT, facts=facts)] * len(trials)
        if self._child is None:
            self._child = self._runner.child(self._job)
        child, started = self._child, time.monotonic()
        lacked = child.lacked_seconds
        answers = child.ask(self._runner.plan(trials), len(trials), self._seconds)
        self._seconds -= time.monotonic() - started - (child.lacked_seconds - lacked)
        outputs = [
            raw_output(frame, trial, self._job, child.printed)
            for frame, trial in zip(answers, trials, strict=False)
        ]
        if len(outputs) < len(trials) or child.forged:
            outputs.append(self._lost(child))
            self.part()
        return outputs if self._over is None else [self._over] * len(trials)

    def _lost(self, child: Heard) -> RawOutput:
        """Why a child gave no further answer; what befell the whole submission is remembered."""
        if child.forged:
            assert child.stopped is not None
            self._over = child.stopped
            return child.stopped
        frames = child.frames
        if not frames:
            raise EngineError(f"expected a process to set itself up, but it ended: {child.printed}")
        if len(frames) == ANNOUNCEMENTS:
            loaded = raw_output(frames[1], None, self._job, child.printed)
            if loaded.outcome is not Outcome.OK:
                self._over = replace(loaded, facts={**loaded.facts, "loading": True})
                return self._over
        died = child.death()
        lost = child.stopped or died
        if len(frames) < ANNOUNCEMENTS:
            self._over = replace(lost, facts={**lost.facts, "loading": True})
            return self._over
        return replace(lost, stdout=child.printed)
