"""Where jobs run, behind the same one method: a Dask cluster. Only bytes travel.

Imported only where a scheduler is named: dask.distributed costs 0.8 s and comes with the extra
`cluster`.
"""

import queue
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

from distributed import Client, KilledWorker

from grader.errors import EngineError, UsageError
from grader.executors import Item, Result, Travelling

CONNECT_SECONDS = 30.0
IDLE_SECONDS = 120.0
"""How long a batch waits for a worker when there is none."""

ASK_SECONDS = 180.0
"""How long a worker may take to say what it is, its warm process included."""

DEATHS = 3
"""Processes that die over an item before it is given up; over the last one it is alone."""

KEPT_ON = "what was graded before is kept, so run the same command again"


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What is under way."""

    news: "queue.Queue[tuple[str, Any]]" = field(default_factory=queue.Queue)
    """What happened: ("done", future) or ("died", keys of what a dead worker was at)."""
    running: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Item and future by task key."""
    deaths: "Counter[str]" = field(default_factory=Counter)
    """Workers that died while they were at a task, by its key."""
    suspects: list[Any] = field(default_factory=list)
    """Items that come last, one at a time."""
    alone: bool = False
    """Whether the suspects' turn has come."""


class Cluster:
    """Some at a time, on the workers of a Dask cluster."""

    def __init__(
        self, address: str, *, connect: float = CONNECT_SECONDS, idle: float = IDLE_SECONDS
    ):
        """Connects to a scheduler.

        Args:
            address: of the scheduler, such as "tcp://10.0.0.1:8786".
            connect: seconds to wait for it and for a first worker.
            idle: seconds that a batch waits where there is no worker any more.

        Raises:
            UsageError: it is no address, no scheduler answers there, or it has no worker.
        """
        self._idle = idle
        try:
            self._client = Client(address, timeout=connect, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(
                f"expected a Dask scheduler, got {type(error).__name__} @ {address}; start one "
                "with: dask scheduler (see docs/cluster.md)"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=connect)
        except TimeoutError as error:
            self.close()
            raise UsageError(
                f"expected a worker, got none in {connect:g} s @ {address}; start one with: "
                f"dask worker {address} --nthreads 1 (see docs/cluster.md)"
            ) from error

    def close(self) -> None:
        """Leaves the cluster as it is."""
        self._client.close()

    def install(self, plugin: object) -> None:
        """Gives every worker, also those that come later, what it needs beforehand."""
        self._client.register_plugin(plugin)

    def uninstall(self, name: str) -> None:
        """Takes it away again; with a scheduler that is gone, its workers end anyway."""
        if self._client.status == "running":
            self._client.unregister_worker_plugin(name)

    def everywhere(self, function: Callable[[bytes], bytes], sent: bytes) -> dict[str, bytes]:
        """What each worker answers, by its address.

        Raises:
            EngineError: one does not, or the scheduler is gone.
        """
        asked = {
            worker: self._client.submit(function, sent, workers=[worker], pure=False)
            for worker in self._threads()
        }
        try:
            return {worker: future.result(ASK_SECONDS) for worker, future in asked.items()}
        except (TimeoutError, CancelledError, KilledWorker) as error:
            raise EngineError(
                f"expected an answer from every worker, got {type(error).__name__}; {KEPT_ON}"
            ) from error

    def _threads(self) -> dict[str, int]:
        """Threads of each worker that there is.

        Raises:
            EngineError: the scheduler is gone.
        """
        try:
            threads: dict[str, int] = self._client.nthreads()
        except (OSError, TimeoutError, RuntimeError) as error:
            raise EngineError(
                f"expected an answer from the scheduler, got {type(error).__name__}; {KEPT_ON}"
            ) from error
        return threads

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in the order in which they are done.

        A worker that dies costs what it was at, which another does again. What two died over waits
        until all else is done and is then run alone, so that it can't be blamed for another; if
        that ends its worker too, it is lost.

        Raises:
            EngineError: the function is none that travels, the scheduler is gone, or there has been
                no worker for a while.
        """
        if not isinstance(function, Travelling):
            raise EngineError(f"expected a function that travels as bytes, got {function!r}")
        batch, waiting = _Batch(), iter(items)
        self._client.subscribe_topic("all", lambda event: _told(batch, event))
        try:
            while self._fill(batch, function, waiting):
                kind, what = self._next(batch)
                if kind == "died":
                    yield from self._mourned(batch, function, what)
                elif what.key in batch.running:
                    item, _ = batch.running.pop(what.key)
                    if isinstance(error := _error(what), KilledWorker):
                        yield from self._suspected(batch, function, item)
                    elif error is not None:
                        raise error
                    else:
                        yield item, function.unpack(item, what.result())
        finally:
            self._client.unsubscribe_topic("all")
            self._client.cancel([future for _, future in batch.running.values()])

    def _fill(
        self, batch: _Batch, function: Travelling[Item, Result], waiting: Iterator[Item]
    ) -> bool:
        """Sends as much as there are threads, and one more; whether anything is under way."""
        room = 1 if batch.alone else sum(self._threads().values()) + 1
        while len(batch.running) < room:
            item = batch.suspects.pop() if batch.alone and batch.suspects else next(waiting, None)
            if item is None:
                if batch.running or not batch.suspects:
                    break
                batch.alone, room = True, 1
                continue
            key = f"grader-{uuid.uuid4().hex}"
            future = self._client.submit(function.run, function.pack(item), key=key, pure=False)
            batch.running[key] = item, future
            future.add_done_callback(lambda done: batch.news.put(("done", done)))
        return bool(batch.running)

    def _next(self, batch: _Batch) -> tuple[str, Any]:
        """The next thing that happens."""
        since = time.monotonic()
        while True:
            try:
                return batch.news.get(timeout=1)
            except queue.Empty:
                if self._threads():
                    since = time.monotonic()
                elif time.monotonic() - since > self._idle:
                    raise EngineError(
                        f"expected a worker, got none for {self._idle:g} s; {KEPT_ON} when there "
                        "is one"
                    ) from None

    def _mourned(
        self, batch: _Batch, function: Travelling[Item, Result], keys: Iterable[str]
    ) -> Iterator[tuple[Item, Result]]:
        for key in keys:
            batch.deaths[key] += 1
            if key in batch.running and batch.deaths[key] >= (1 if batch.alone else DEATHS - 1):
                item, future = batch.running.pop(key)
                self._client.cancel([future], force=True)
                yield from self._suspected(batch, function, item)

    def _suspected(
        self, batch: _Batch, function: Travelling[Item, Result], item: Item
    ) -> Iterator[tuple[Item, Result]]:
        """Puts an item off until it can be run alone, or gives it up where it was."""
        if batch.alone:
            yield item, function.lost(item)
        else:
            batch.suspects.append(item)


def _told(batch: _Batch, event: tuple[float, Any]) -> None:
    """Takes note of a worker that died; one that was asked to leave is none."""
    _, message = event
    if message.get("action") == "remove-worker" and not message.get("expected"):
        batch.news.put(("died", tuple(message["processing-tasks"])))


def _error(future: Any) -> Exception | None:
    """What a task ended with, where it is no result."""
    if future.status == "error":
        error: Exception = future.exception()
        return error
    if future.status != "finished":
        return EngineError(
            f"expected an answer from the scheduler, got a task that is {future.status}; {KEPT_ON}"
        )
    return None
