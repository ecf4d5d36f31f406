"""A cluster of separate processes keeps every promise of an executor, also when they die."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dask_cluster import Processes, deadly, failing, slowly, squared

from grader.cluster import DEATHS, Cluster
from grader.errors import EngineError, UsageError
from grader.executors import Serial, Travelling

Answer = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler and two workers."""
    started = Processes(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        started.worker()
    yield started
    started.end()


@pytest.fixture
def cluster(processes: Processes) -> Iterator[Cluster]:
    """A connection of its own for each test, to two workers."""
    found = Cluster(processes.address, connect=60, idle=30)
    found._client.wait_for_workers(2, timeout=60)
    yield found
    found.close()


def sent(run: Answer) -> Travelling[int, int]:
    return Travelling(
        run=run,
        pack=lambda item: json.dumps(item).encode(),
        unpack=lambda item, answer: int(json.loads(answer)),
        lost=lambda item: -item,
    )


def deadly_in(folder: Path) -> Travelling[int, int]:
    return Travelling(
        run=deadly,
        pack=lambda item: json.dumps([item, str(folder)]).encode(),
        unpack=lambda item, answer: int(json.loads(answer)[0]),
        lost=lambda item: -item,
    )


def test_every_item_comes_back_once_with_its_result(cluster: Cluster) -> None:
    expected = [(number, number**2) for number in range(20)]
    assert sorted(cluster.map(sent(squared), range(20))) == expected
    assert list(Serial().map(sent(squared), range(20))) == expected


def test_no_items_give_no_results(cluster: Cluster) -> None:
    nothing: list[int] = []
    assert list(cluster.map(sent(squared), nothing)) == []


def test_a_fault_of_the_function_comes_out(cluster: Cluster) -> None:
    with pytest.raises(ZeroDivisionError, match="1"):
        list(cluster.map(sent(failing), [1]))


def test_a_function_that_does_not_travel_as_bytes_is_refused(cluster: Cluster) -> None:
    with pytest.raises(EngineError, match="travels"):
        list(cluster.map(lambda item: item, [1]))


def test_items_are_taken_only_as_workers_come_free(cluster: Cluster) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            taken.append(item)
            yield item

    results = cluster.map(sent(squared), items())
    next(results)
    assert len(taken) <= 6
    assert len(list(results)) == 49


def test_a_worker_that_is_killed_in_the_middle_loses_no_result(cluster: Cluster) -> None:
    pids = list(cluster._client.run(os.getpid).values())
    results = cluster.map(sent(slowly), range(16))
    found = [next(results)]
    os.kill(pids[0], signal.SIGKILL)
    found += results
    assert sorted(found) == [(number, number) for number in range(16)]


def test_an_item_that_kills_its_worker_three_times_is_given_up_and_takes_nothing_with_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    found = dict(cluster.map(deadly_in(tmp_path), range(20)))
    assert found == {number: -number if number == 13 else number for number in range(20)}
    assert len((tmp_path / "deaths").read_text()) == DEATHS
    # What comes last is run alone, so no other was blamed, and the cluster works as before.
    cluster._client.wait_for_workers(2, timeout=60)
    assert dict(cluster.map(sent(squared), [7])) == {7: 49}


def test_where_no_scheduler_answers_it_is_said() -> None:
    with pytest.raises(UsageError, match=r"dask scheduler.*docs/cluster.md"):
        Cluster("tcp://127.0.0.1:9", connect=0.5)
    with pytest.raises(UsageError, match="expected a Dask scheduler"):
        Cluster("nonsense://", connect=0.5)


def test_a_cluster_without_workers_is_refused_and_one_that_loses_them_is_left(
    tmp_path: Path,
) -> None:
    lonely = Processes(tmp_path)
    try:
        with pytest.raises(UsageError, match=r"expected a worker, got none .*--nthreads 1"):
            Cluster(lonely.address, connect=1)
        worker = lonely.worker("--no-nanny")
        cluster = Cluster(lonely.address, connect=60, idle=2)
        results = cluster.map(sent(slowly), range(50))
        next(results)
        worker.kill()
        with pytest.raises(EngineError, match="run the same command again"):
            list(results)
        cluster.close()
    finally:
        lonely.end()


def test_a_scheduler_that_goes_away_ends_the_batch_with_a_clear_error(tmp_path: Path) -> None:
    short = Processes(tmp_path)
    try:
        short.worker()
        cluster = Cluster(short.address, connect=60, idle=5)
        results = cluster.map(sent(slowly), range(50))
        next(results)
        threading.Timer(0.2, short.scheduler.kill).start()
        started = time.monotonic()
        with pytest.raises(EngineError, match="run the same command again"):
            list(results)
        assert time.monotonic() - started < 60
        cluster.close()
    finally:
        short.end()


def test_dask_is_imported_only_where_a_scheduler_is_named() -> None:
    asked = "import sys, grader.cli.grade; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked]).returncode == 0
