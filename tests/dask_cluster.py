"""A Dask cluster as separate processes, and what its workers do in tests.

The module is on the workers' path; `dask worker --preload` runs `dask_setup`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from distributed import Worker

import grader.remote

HERE = Path(__file__).resolve().parent


def squared(sent: bytes) -> bytes:
    """The square of a number."""
    return json.dumps(json.loads(sent) ** 2).encode()


def slowly(sent: bytes) -> bytes:
    """The same number, after a while."""
    time.sleep(0.3)
    return sent


def failing(sent: bytes) -> bytes:
    """No result."""
    raise ZeroDivisionError(sent.decode())


def deadly(sent: bytes) -> bytes:
    """Ends the worker's process at 13; counts the deaths in the folder that is named there."""
    time.sleep(0.1)
    number, folder = json.loads(sent)
    if number == 13:
        with (Path(folder) / "deaths").open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return sent


def dask_setup(worker: Worker) -> None:
    """A submission with `DEADLY` in it ends the worker."""
    graded = grader.remote._seen_of

    def grade_of(station: object, files: tuple[object, ...]) -> object:
        if any(b"DEADLY" in file.content for file in files):  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)
        return graded(station, files)  # type: ignore[arg-type]

    grader.remote._seen_of = grade_of  # type: ignore[assignment]


class Processes:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path):
        self.file = folder / "scheduler.json"
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(HERE.parent), str(HERE))),
            "DASK_DISTRIBUTED__DEATH_TIMEOUT": "60",
        }
        self.log = (folder / "log").open("wb")
        self.started: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start("scheduler", "--host", "127.0.0.1", "--port", "0")

    def start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a scheduler or a worker."""
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file)]
        process = subprocess.Popen(
            [*command, "--no-dashboard", *arguments],
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        self.started.append(process)
        return process

    def worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a worker with one thread; a nanny starts it again where it dies."""
        return self.start("worker", "--nthreads", "1", "--preload", "dask_cluster", *arguments)

    @property
    def address(self) -> str:
        """Of the scheduler, once it has one."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                address: str = json.loads(self.file.read_text())["address"]
                return address
            except (OSError, ValueError):
                time.sleep(0.1)
        raise TimeoutError(f"no scheduler; see {self.log.name}")

    def end(self) -> None:
        """Ends all of them."""
        for process in reversed(self.started):
            process.terminate()
        for process in reversed(self.started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.log.close()
