"""What one submission's process has said: frame by frame, and what it printed. Trusted side.

Common to a forked child and to a standby process, which differ in how they are started, asked,
watched and ended.
"""

from abc import ABC, abstractmethod
from typing import Any

from grader.sandbox import stopwatch, wire
from grader.types import Limits, Outcome, RawOutput

PRINTED_BYTES_KEPT = 20_000
ANNOUNCEMENTS = 2
"""Frames before the first answer: that it is set up, and how the load went."""


class Heard(ABC):
    """One process at work on one submission, from its start to its end."""

    def __init__(self, limits: Limits):
        """Nothing has been heard yet."""
        self._limits = limits
        self._reader = wire.FrameReader(wire.Caps(payload_bytes=limits.result_bytes))
        self._printed, self._printed_bytes = bytearray(), 0
        self._allowed, self._heard = ANNOUNCEMENTS, 0
        self.frames: list[Any] = []
        """What it has sent."""
        self.stopped: RawOutput | None = None
        """Why it was ended, if it broke a rule or a limit."""
        self.forged = False
        """Whether it sent what our worker does not send."""
        self.ended = False
        """Whether it, and every process below it, is gone."""
        self.lacked_seconds = 0.0
        """How long it was asked for answers and had no processor to run on, where that is known."""

    @property
    def printed(self) -> str:
        """What the submission has written to stdout and stderr, cut."""
        return self._printed.decode("utf-8", "replace")

    def ask(self, plan: bytes, count: int, seconds: float) -> list[Any]:
        """The answers to a plan; fewer than `count` where the process ended first.

        Args:
            plan: the plan's frame.
            count: how many answers it asks for.
            seconds: the most that may pass.

        Raises:
            EngineError: a killed process did not end.
        """
        before = max(len(self.frames), ANNOUNCEMENTS)
        self._allowed = before + count + 1
        self._send(plan, seconds)
        for frame in self.frames[self._heard :]:
            stopwatch.told(frame)
        self._heard = len(self.frames)
        if len(self.frames) >= self._allowed and not is_end(self.frames[-1]):
            self._forge("expected one frame for each trial and then the end, got another")
        return self.frames[before : before + count]

    @abstractmethod
    def _send(self, plan: bytes, seconds: float) -> None:
        """Sends a plan; reads until all that is allowed has come, or the process has ended."""

    @abstractmethod
    def _stop(self, why: RawOutput | None) -> None:
        """Begins to end the process, for a reason."""

    @abstractmethod
    def death(self) -> RawOutput:
        """How one that nobody stopped came to its end.

        Raises:
            EngineError: nobody told.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends the process, and waits until it is gone.

        Raises:
            EngineError: it did not end.
        """

    def _take_output(self, data: bytes) -> None:
        """Keeps what was printed; too much of it ends the process."""
        self._printed_bytes += len(data)
        self._printed += data[: PRINTED_BYTES_KEPT - len(self._printed)]
        if self._printed_bytes > self._limits.output_bytes:
            facts = {"megabytes": self._limits.output_bytes / 1e6}
            self._stop(RawOutput(outcome=Outcome.FLOOD, facts=facts))

    def _take_results(self, data: bytes) -> None:
        """Reads frames; what our worker does not send ends the process."""
        try:
            self.frames += self._reader.feed(data)
            if len(self.frames) > self._allowed:
                raise wire.WireError("expected one frame for each trial, got more")
        except wire.WireError as error:
            self._forge(str(error))

    def _forge(self, got: str) -> None:
        """Ends a process that sent what our worker does not send."""
        self.forged = True
        facts = {"reason": "frame", "got": got}
        self.stopped = RawOutput(outcome=Outcome.UNREADABLE, facts=facts)
        self._stop(None)


def is_end(frame: Any) -> bool:
    """Whether it is what the worker sends after the last answer to a plan."""
    told = {"done", stopwatch.TOLD}
    return isinstance(frame, dict) and frame.keys() == told and frame["done"] is True
