"""What a class costs as it grows: time, memory, and the size of what is kept and of the pages.

    .venv/bin/python benchmarks/scale.py [--sizes 10 100 1000 3000] [--modes one two dask]

Grades generated classes of a small assignment (the course of tests/naming_course.py: three entries,
known mistakes that combine) with one and two local workers, and on a Dask cluster of two worker
processes. A tenth of each class is unreadable or stops with an error, half is wrong, some copy from
one another. Each run is a process of its own, with fingerprints kept from a run before. Memory is
PSS, sampled: of the process that was started, and with all that it started or that works for it.
"""

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from distributed import Client  # noqa: E402 - after the paths
from naming_course import make_course, written  # noqa: E402

MODES = ("one", "two", "dask")
SAMPLE_SECONDS = 0.25
MB = 1e6

BODIES = {
    "double": ("return 1 + x + x", "return 1 + 3 * x", "return x + x", "return 7 - x * 0.3"),
    "shift": ("return double(x) - 3", "return 3 + double(x)", "return double(x).abs()"),
    "scale": ("return self.factor * double(x)", "return self.factor + double(x)"),
}
"""What students write: first what is right, then known mistakes, then what nobody thought of."""

CALLS = ("exp", "sin", "cos", "tanh", "sigmoid", "abs", "sqrt", "square")


def submission(chosen: random.Random) -> str:
    """One student's module."""
    kind = chosen.random()
    if kind < 0.03:
        return "def double(x:\n"
    changed = {name: chosen.choice(bodies[:1] * 3 + bodies) for name, bodies in BODIES.items()}
    if kind < 0.1:
        changed["double"] = "raise ValueError(x.shape)"
    tried = "".join(
        f"    v{line} = torch.{chosen.choice(CALLS)}(x * {chosen.random():.5f}) "
        f"{chosen.choice('+-*')} {chosen.randrange(2, 99)}\n"
        for line in range(12)
    )
    return f"{written(**changed)}\n\ndef tried(x):\n{tried}    return v0\n"


def generate(folder: Path, count: int, seed: int) -> None:
    """A class; one in fifty has another's code, renamed."""
    chosen, texts = random.Random(seed), list[str]()
    folder.mkdir(parents=True)
    for number in range(count):
        text = submission(chosen)
        if texts and chosen.random() < 0.02:
            text = chosen.choice(texts).replace("v1", "mine").replace("tried", "experiment")
        texts.append(text)
        (folder / f"s{number:04}.py").write_text(f"{text}# {number}\n", encoding="utf-8")


# -- memory -----------------------------------------------------------------------------------


def tree(pid: int) -> list[int]:
    """A process and every one below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, task.read_text().split()):
                found += tree(child)
        except OSError:
            continue
    return found


def pss(pid: int) -> int:
    """Bytes of memory of a process, what it shares divided by the number of sharers."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


@dataclass
class Peaks:
    """The most memory that was seen."""

    coordinator: int = 0
    """Bytes of the process that was started."""
    everything: int = 0
    """Bytes of it and of all others."""


@contextmanager
def watched(first: int, others: list[int]) -> Iterator[Peaks]:
    """Peaks of a process, of those below it and of others with those below them."""
    peaks, over = Peaks(), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            own = pss(first)
            rest = sum(
                pss(each) for root in (first, *others) for each in tree(root)[root == first :]
            )
            peaks.coordinator = max(peaks.coordinator, own)
            peaks.everything = max(peaks.everything, own + rest)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


# -- runs -------------------------------------------------------------------------------------


@contextmanager
def dask_cluster(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, list[int]]]:
    """A scheduler and two workers as processes: the scheduler's file and the process ids."""
    file, log = folder / "scheduler.json", (folder / "dask.log").open("wb")
    start = [sys.executable, "-m", "dask"]
    end = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        [*start, "scheduler", "--host", "127.0.0.1", "--port", "0", *end],
        *[[*start, "worker", "--nthreads", "1", *end]] * 2,
    ]
    started = [
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) for command in commands
    ]
    try:
        while not file.exists():
            time.sleep(0.1)
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=120)
            address = client.scheduler.address
        yield address, [process.pid for process in started]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
        log.close()


def processor(pids: list[int]) -> float:
    """Processor seconds of processes and of all below them, those that have ended included."""
    ticks = 0
    for pid in {each for root in pids for each in tree(root)}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def timed(
    command: list[str], environment: dict[str, str], others: list[int]
) -> tuple[float, float, Peaks]:
    """Wall-clock and processor seconds and memory; an exit of 3 says that a mark was withheld."""
    started, before = time.perf_counter(), processor(others)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        with watched(process.pid, others) as peaks:
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 3):
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {status}: {said.read().decode()}")
    spent = usage.ru_utime + usage.ru_stime + processor(others) - before
    return time.perf_counter() - started, spent, peaks


def size(paths: Iterator[Path]) -> float:
    """Megabytes of files."""
    return sum(path.stat().st_size for path in paths if path.is_file()) / MB


def measure(mode: str, count: int, folder: Path, environment: dict[str, str], seed: int) -> None:
    """One class, graded once and then again, when everything is known; prints a row."""
    class_folder, out = folder / f"class-{count}", folder / f"out-{mode}-{count}"
    if not class_folder.exists():
        generate(class_folder, count, seed)
    command = [sys.executable, "-m", "grader", "grade", "chain", str(class_folder), "--json"]
    course = make_course(folder / f"course-{mode}-{count}")  # with a gradebook of its own
    command += ["--course", str(course), "--out", str(out)]
    if mode == "dask":
        with dask_cluster(folder, environment) as (address, others):
            seconds, spent, peaks = timed([*command, "--scheduler", address], environment, others)
        (folder / "scheduler.json").unlink(missing_ok=True)
    else:
        workers = str(MODES.index(mode) + 1)
        seconds, spent, peaks = timed([*command, "-j", workers], environment, [])
    again, _, _ = timed([*command, "-j", "2"], environment, [])
    pages = [path for path in out.rglob("*") if path.parent.parent == out]
    store = size(course.glob("gradebook.db*"))
    print(
        f"{mode:>5}{count:>8}{seconds:>10.1f}{1e3 * seconds / count:>10.1f}"
        f"{1e3 * spent / count:>8.0f}{again:>9.1f}"
        f"{peaks.coordinator / MB:>9.0f}{peaks.everything / MB:>9.0f}"
        f"{store:>9.2f}{size(iter([out / 'index.html'])):>9.2f}{size(iter(pages)):>9.2f}",
        flush=True,
    )


def main() -> None:
    """Measures every mode at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000, 3000])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"torch {version('torch')}, seed {arguments.seed}\n")
    print(
        f"{'':13}{'seconds':>10}{'ms each':>10}{'CPU ms':>8}{'again s':>9}"
        f"{'memory, MB':>18}{'size, MB':>27}"
    )
    print(
        f"{'mode':>5}{'class':>8}{'':37}{'own':>9}{'all':>9}{'store':>9}{'index':>9}{'reports':>9}"
    )
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        environment["PYTHONPATH"] = str(ROOT)
        make_course(folder / "course")
        generate(folder / "warm", 40, arguments.seed + 1)
        command = [sys.executable, "-m", "grader", "grade", "chain", str(folder / "warm")]
        command += ["--course", str(folder / "course"), "--out", str(folder / "warmed")]
        timed(command, environment, [])
        for mode in arguments.modes:
            for count in arguments.sizes:
                measure(mode, count, folder, environment, arguments.seed)


if __name__ == "__main__":
    main()
