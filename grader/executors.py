"""Where jobs run, behind one method: this machine, some at a time (see cluster.py for others)."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """One method: apply a function to items, and give each result as soon as it is there."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in the order in which they are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Travelling(Generic[Item, Result]):
    """A function of which nothing but bytes need travel; here it is called as any other."""

    run: Callable[[bytes], bytes]
    """What is done; a function of a module, so that its name is enough."""
    pack: Callable[[Item], bytes]
    """An item as it is sent."""
    unpack: Callable[[Item, bytes], Result]
    """The result, from the item and from what came back."""
    lost: Callable[[Item], Result]
    """The result for an item that ends every process that is at it."""

    def __call__(self, item: Item) -> Result:
        """The result, made here."""
        return self.unpack(item, self.run(self.pack(item)))


class Serial:
    """One at a time, in this thread."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in order."""
        for item in items:
            yield item, function(item)


class Pool:
    """Some at a time, in threads: the work is done by workers in processes of their own."""

    def __init__(self, workers: int):
        self._workers = workers

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in the order in which they are done.

        Items are taken as workers come free, so an interrupt loses at most what is running.
        """
        waiting = iter(items)
        running: dict[Future[Result], Item] = {}
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="grader")
        exhausted = False
        try:
            while running or not exhausted:
                while not exhausted and len(running) < self._workers:
                    try:
                        item = next(waiting)
                    except StopIteration:
                        exhausted = True
                        break
                    running[threads.submit(function, item)] = item
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def executor(workers: int) -> Executor:
    """Serial for one worker, else a pool.

    The pool has one thread more than there are workers: what came back from one submission is
    compared while the workers are at the next.
    """
    return Serial() if workers == 1 else Pool(workers + 1)
