"""Where the time goes: seconds by stage, for whoever watches. Imported by both sides: stdlib only.

A stage's function is marked with `@stage("compare")`; what it takes counts once, for the innermost
stage. Where nobody watches a mark costs one look at a variable. What a child tells of its own
stages is a student's word for it: it decides nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

CHILD = ("fork", "lock-down", "load", "build", "run", "gradients")
"""Stages that a child tells, in the order in which it comes to them."""
TOLD = "microseconds"
"""Under what name they stand in a frame."""


class Watch:
    """Seconds by stage, as they add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._within = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time until it is left, but for the stages within."""
        outer, self._within = self._within, 0.0
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + max(0.0, spent - self._within)
            self._within = outer + spent

    def add(self, seconds: Mapping[str, float]) -> None:
        """Counts what somebody else has timed within the stage that goes on."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
            self._within += spent

    def taken(self) -> dict[str, int]:
        """What has added up, in microseconds, as a child tells it; and begins anew."""
        seconds, self.seconds = self.seconds, {}
        return {name: round(spent * 1e6) for name, spent in seconds.items()}


_watching: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched() -> Iterator[Watch]:
    """A watch over what this thread does until it is left; another one rests meanwhile."""
    watch = Watch()
    token = _watching.set(watch)
    try:
        yield watch
    finally:
        _watching.reset(token)


def stage(name: str, *, whole: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a function as a stage.

    Args:
        name: what it counts as.
        whole: whether the stages within count as this one, too.
    """

    def marked(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            watch = _watching.get()
            if watch is None:
                return function(*args, **kwargs)
            with watch.stage(name):
                if not whole:
                    return function(*args, **kwargs)
                with watched():
                    return function(*args, **kwargs)

        return timed

    return marked


def told(frame: Any) -> None:
    """Counts what a child's frame tells of its stages; what has not that form is left aside."""
    watch = _watching.get()
    spent = frame.get(TOLD) if watch is not None and isinstance(frame, dict) else None
    if watch is not None and isinstance(spent, dict):
        watch.add(
            {
                name: spent[name] / 1e6
                for name in CHILD
                if type(spent.get(name)) is int and 0 <= spent[name] < 10**9
            }
        )
