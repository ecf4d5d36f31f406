"""One suite that every executor passes."""

import threading
import time
from collections.abc import Iterator

import pytest

from grader.executors import Executor, Pool, Serial, executor

EXECUTORS = [Serial(), Pool(1), Pool(2), Pool(5)]


@pytest.mark.parametrize("each", EXECUTORS)
def test_every_item_comes_back_once_with_its_result(each: Executor) -> None:
    assert sorted(each.map(lambda item: item * item, range(20))) == [(n, n * n) for n in range(20)]


@pytest.mark.parametrize("each", EXECUTORS)
def test_no_items_give_no_results(each: Executor) -> None:
    nothing: list[int] = []
    assert list(each.map(lambda item: item, nothing)) == []


@pytest.mark.parametrize("each", EXECUTORS)
def test_a_fault_of_the_function_comes_out(each: Executor) -> None:
    def fail(item: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(each.map(fail, [1]))


@pytest.mark.parametrize("each", EXECUTORS)
def test_items_are_taken_only_as_workers_come_free(each: Executor) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = each.map(lambda item: item, items())
    next(results)
    assert len(taken) <= 6
    assert len(list(results)) == 99


def test_a_pool_works_on_several_items_at_once() -> None:
    together = threading.Barrier(2, timeout=20)
    assert len(list(Pool(2).map(lambda item: together.wait(), range(2)))) == 2


def test_a_slow_item_does_not_hold_up_the_others() -> None:
    release = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            release.wait(20)
        return item

    order = []
    for item, _ in Pool(2).map(work, range(4)):
        order.append(item)
        if len(order) == 3:
            release.set()
    assert order[-1] == 0
    time.sleep(0)


def test_one_worker_is_serial() -> None:
    assert isinstance(executor(1), Serial)
    assert isinstance(executor(2), Pool)
