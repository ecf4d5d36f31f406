"""What shutting a submission in costs: the same job at each level, one after another, in one run.

    .venv/bin/python benchmarks/isolation.py [--rounds 100]

Prints median milliseconds a job, from asking for a child to the end of its whole tree, and what a
level adds to level E: the median of the differences within a round, and the ratio of the medians.
"""

import argparse
import statistics
import time

from grader.errors import EngineError
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Call, Job, Trial

TARGET_MILLISECONDS = 8.0
JOBS = {
    "trivial": "def f(): return 1",
    "LSTM, forward and backward": """
import torch
def f():
    layer = torch.nn.LSTM(8, 16)
    layer(torch.ones(12, 4, 8))[0].sum().backward()
    return 1
""",
}


def measure(rounds: int) -> None:
    """Times every job at every level that can be had, and prints."""
    zygotes = {level: Zygote(level) for level in ("E", "B", "A")}
    try:
        runners = {}
        for level, zygote in zygotes.items():
            try:
                zygote.start()
                runners[level] = Runner(zygote)
            except EngineError as error:
                print(error)
        for name, source in JOBS.items():
            report(name, time_job(runners, source, rounds))
    finally:
        for zygote in zygotes.values():
            zygote.close()


def time_job(runners: dict[str, Runner], source: str, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round, by level; the order of the levels turns with the rounds."""
    trial = Trial(case="f", variant="base", entry="f", calls=(Call(args={}),))
    job = Job(source=source, modules={}, trials=(trial,))
    times: dict[str, list[float]] = {level: [] for level in runners}
    for number in range(rounds + 3):
        order = list(runners)[number % len(runners) :] + list(runners)[: number % len(runners)]
        for level in order:
            started = time.perf_counter()
            (output,) = runners[level].run(job)
            spent = (time.perf_counter() - started) * 1e3
            assert output.outcome.value == "ok", output
            if number >= 3:
                times[level].append(spent)
    return times


def report(name: str, times: dict[str, list[float]]) -> None:
    """A table of one job."""
    print(f"\n{name:38}{'median ms':>10}{'added ms':>10}{'ratio':>8}")
    base = times["E"]
    for level, spent in times.items():
        added = statistics.median(mine - his for mine, his in zip(spent, base, strict=True))
        ratio = statistics.median(spent) / statistics.median(base)
        print(f"level {level:32}{statistics.median(spent):10.1f}{added:10.1f}{ratio:8.2f}")
    if "A" in times:
        print(f"target: level A adds at most {TARGET_MILLISECONDS:.0f} ms")


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    measure(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
