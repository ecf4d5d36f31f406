"""Who may be at work beside whom. Trusted side."""

import threading
from types import TracebackType


class Turns:
    """Many at a time, or one alone."""

    def __init__(self) -> None:
        """Nobody is at work."""
        self.changed = threading.Condition()
        self.at_work = 0
        self.waiting_alone = 0
        self.one_alone = False


class Turn:
    """To be held for as long as one submission is at work; a thread has one at a time."""

    def __init__(self, turns: Turns, *, alone: bool = False):
        """A turn that has not begun; `alone` where nobody may ever be beside it."""
        self._turns, self._begins_alone = turns, alone

    def __enter__(self) -> "Turn":
        with self._turns.changed:
            self._wait(alone=self._begins_alone)
            self._turns.at_work += 1
        return self

    def alone(self) -> None:
        """Lets those at work come to their end, and nobody begin, before it goes on."""
        with self._turns.changed:
            self._leave()
            try:
                self._wait(alone=True)
            finally:
                self._turns.at_work += 1  # interrupted or not, it is held until `__exit__`

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._turns.changed:
            self._leave()

    def _wait(self, *, alone: bool) -> None:
        turns = self._turns
        if not alone:
            # Who waits to be alone would wait for ever if others went on coming.
            turns.changed.wait_for(lambda: not (turns.one_alone or turns.waiting_alone))
            return
        turns.waiting_alone += 1
        try:
            turns.changed.wait_for(lambda: not turns.at_work)
            turns.one_alone = True
        finally:
            turns.waiting_alone -= 1
            turns.changed.notify_all()

    def _leave(self) -> None:
        self._turns.at_work -= 1
        self._turns.one_alone = False
        self._turns.changed.notify_all()
