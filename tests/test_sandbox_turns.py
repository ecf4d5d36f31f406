import threading
from collections.abc import Callable

from grader.sandbox.turns import Turn, Turns

SECONDS = 20
"""Longer than anything here takes, so that a test that would hang fails."""


def begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(*threads: threading.Thread) -> bool:
    for thread in threads:
        thread.join(SECONDS)
    return not any(thread.is_alive() for thread in threads)


def until(turns: Turns, true: Callable[[], bool]) -> None:
    with turns.changed:
        assert turns.changed.wait_for(true, SECONDS)


def test_many_are_at_work_at_a_time() -> None:
    turns, together = Turns(), threading.Barrier(3)

    def work() -> None:
        with Turn(turns):
            together.wait(SECONDS)

    assert ended(*(begun(work) for _ in range(3)))
    assert turns.at_work == 0


def test_who_wants_to_be_alone_waits_for_those_at_work_and_lets_nobody_begin() -> None:
    turns, order, go = Turns(), [], threading.Event()

    def first() -> None:
        with Turn(turns):
            go.wait(SECONDS)
            order.append("first")

    def lost() -> None:
        with Turn(turns) as turn:
            turn.alone()
            order.append("alone")
            assert turns.at_work == 1

    def late() -> None:
        with Turn(turns):
            order.append("late")

    threads = [begun(first)]
    until(turns, lambda: turns.at_work == 1)
    threads.append(begun(lost))
    until(turns, lambda: turns.waiting_alone == 1)
    threads.append(begun(late))
    threads[2].join(0.05)
    assert order == []
    go.set()
    assert ended(*threads)
    assert order == ["first", "alone", "late"]


def test_several_who_want_to_be_alone_come_one_after_the_other() -> None:
    turns, beside, both = Turns(), [], threading.Barrier(2)

    def lost() -> None:
        with Turn(turns) as turn:
            both.wait(SECONDS)
            turn.alone()
            beside.append(turns.at_work)
            turn.alone()  # it is already
            beside.append(turns.at_work)

    assert ended(begun(lost), begun(lost))
    assert beside == [1, 1, 1, 1]
    assert (turns.at_work, turns.one_alone) == (0, False)


def test_those_who_are_always_alone_are_never_beside_another() -> None:
    turns, most = Turns(), []

    def work() -> None:
        with Turn(turns, alone=True):
            most.append(turns.at_work)

    assert ended(*(begun(work) for _ in range(4)))
    assert most == [1] * 4
