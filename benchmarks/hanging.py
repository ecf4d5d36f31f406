"""What hangs costs only itself: a class of which a tenth loops forever, and the class without it.

    .venv/bin/python benchmarks/hanging.py [--submissions 60] [--seed 0] [--seconds 10]

Grades the same class without and with the submissions that loop, two at a time, at a limit of
--seconds for a submission and the assignment's own for a trial. Half of those that loop do so in
the first entry, which most others use; half in one that none uses. Prints how long the others took,
and how long they may: as long as without, and the share of the workers that the loops held.
"""

import argparse
import dataclasses
import random
import tempfile
import time
from pathlib import Path

from throughput import ROOT, WORKERS, generate

from grader.collect import collect
from grader.executors import executor
from grader.instructor import Marker
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Grade, Submission

ASSIGNMENT = "mha"
SHARE = 0.1
LOOPS = (
    "def softmax(x, dim):\n    while True:\n        pass\n",
    "def padding_mask(lengths, length):\n    while True:\n        pass\n",
)


def looping(folder: Path, count: int) -> list[Path]:
    """Modules whose last definition of an entry never returns."""
    right = (ROOT / "examples" / ASSIGNMENT / "amelie.py").read_text("utf-8")
    folder.mkdir(parents=True)
    made = []
    for number in range(count):
        made.append(folder / f"loop{number:03}.py")
        made[-1].write_text(f"{right}\n\n{LOOPS[number % 2]}# {number}\n", "utf-8")
    return made


def graded(marker: Marker, submissions: list[Submission]) -> list[tuple[float, Grade]]:
    """When each was done, in seconds from the start, and its grade."""
    started = time.monotonic()
    return [
        (time.monotonic() - started, grade)
        for _, grade in executor(WORKERS).map(marker.mark, submissions)
    ]


def held(grade: Grade) -> float:
    """Seconds that a submission took."""
    return grade.provenance.seconds if grade.provenance else 0.0


def measure(count: int, seed: int, seconds: float, folder: Path) -> None:
    """Grades both classes and prints."""
    made = generate(folder / "class", ASSIGNMENT, count - round(SHARE * count), seed)
    loops = looping(folder / "loops", round(SHARE * count))
    zygote = Zygote()
    try:
        marker = Marker(ROOT, ASSIGNMENT, Runner(zygote, WORKERS))
        rubric = marker.assignment.rubric
        limits = dataclasses.replace(rubric.limits, seconds=seconds)
        limited = dataclasses.replace(rubric, limits=limits)
        marker.assignment = dataclasses.replace(marker.assignment, rubric=limited)
        others = list(collect(made, ASSIGNMENT).submissions)
        both = [*others, *collect(loops, ASSIGNMENT).submissions]
        random.Random(seed).shuffle(both)
        graded(marker, others)  # so that the known mistakes are known
        before = graded(marker, others)
        after = graded(marker, both)
    finally:
        zygote.close()
    stragglers = [(at, each) for at, each in after if each.student.startswith("loop")]
    rest = [(at, each) for at, each in after if not each.student.startswith("loop")]
    share = sum(held(each) for _, each in stragglers) / WORKERS
    alone, last = before[-1][0], rest[-1][0]
    print(f"{len(others)} submissions alone: {alone:.1f} s")
    print(f"with {len(stragglers)} that loop: {last:.1f} s until the last of the others")
    print(f"  the loops held a worker for {share * WORKERS:.1f} s, a share of {share:.1f} s")
    met = "met" if last <= alone + share else "NOT MET"
    print(f"  the others may take {alone + share:.1f} s: {met}")
    first, *_, end = [at for at, _ in after][-WORKERS:]
    print(f"  the whole took {end:.1f} s; the last {WORKERS} ended {end - first:.1f} s apart")
    for at, each in stragglers:
        codes = sorted({f.code for c in each.criteria for f in c.findings if f.verdict == "error"})
        print(
            f"  {each.student}: {held(each):.1f} s, done at {at:.1f}, earned {each.earned}, {codes}"
        )
    marks = {each.student: each.earned for _, each in before}
    changed = [each.student for _, each in rest if marks[each.student] != each.earned]
    print(f"  marks of the others that changed: {len(changed)}")


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hanging-") as name:
        measure(options.submissions, options.seed, options.seconds, Path(name))


if __name__ == "__main__":
    main()
