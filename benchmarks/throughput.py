"""Submissions per second: `grader grade -j 2` against one fresh pytest process per submission.

    .venv/bin/python benchmarks/throughput.py [--submissions 200] [--seed 0] [--assignments mha]

For each assignment, both grade the same generated class and make the same comparisons. The baseline
is generous: its inputs, weights and expected values are read from a file, its submission is sliced
by our loader, nothing is shut in, no page is written, and it runs two at a time with
OMP_NUM_THREADS=1. Prints a table, the ratio, whether the verdicts agree, the time per stage, and
what each level of isolation costs.
"""

import argparse
import os
import pickle
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import isolation
import numpy as np
import yaml

from grader.checks import judge
from grader.collect import collect
from grader.expected import top_level
from grader.gradebook import Gradebook
from grader.instructor import Marker, write_student
from grader.load import load
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote
from grader.types import Job, Verdict

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
TARGET = 20.0


def generate(folder: Path, assignment: str, count: int, seed: int) -> list[Path]:
    """A class of `count`: examples that are neither hostile nor unreadable, drawn at random, the
    modules each made one of its own by a comment."""
    chosen = random.Random(seed)
    entries = yaml.safe_load((ROOT / "examples" / "manifest.yaml").read_text("utf-8"))
    usable = [
        ROOT / "examples" / entry["path"]
        for entry in entries
        if entry["kind"] in ("right", "wrong", "unfinished")
        and entry["assignment"] == assignment
        and (ROOT / "examples" / entry["path"]).is_file()
    ]
    made = []
    folder.mkdir(parents=True)
    for number in range(count):
        source = chosen.choice(usable)
        path = folder / f"s{number:04}{source.suffix}"
        path.write_bytes(source.read_bytes())
        if path.suffix == ".py":
            with path.open("ab") as file:
                file.write(f"\n# submission {number}\n".encode())
        made.append(path)
    return made


BASELINE = """
import os, pickle, sys
from pathlib import Path
import pytest
from grader.checks import judge
from grader.expected import top_level
from grader.load import load
from grader.sandbox import worker
from grader.sandbox.outputs import raw_output
from grader.sandbox.questions import trial_tree
from grader.types import Job, SubmittedFile, Submission

worker.portable()
rubric, settings, trials = pickle.loads(Path(os.environ["STANDARD"]).read_bytes())
path = Path(os.environ["SUBMISSION"])
file = SubmittedFile(name=path.name, content=path.read_bytes())
submission = Submission(student="s", assignment=rubric.assignment, path="s", files=(file,))
loaded = load(submission, top_level(rubric))
job = Job(source=loaded.source, modules={}, trials=trials, limits=rubric.limits)
namespace, failure = worker.load(loaded.source, "submission")
answers = {
    (trial.case, trial.variant): raw_output(
        worker.answer(trial_tree(trial), namespace, rubric.limits.result_bytes), trial, job, ""
    )
    for trial in trials
}
findings = judge(rubric, settings, answers)

@pytest.mark.parametrize("criterion", [c.id for c in rubric.criteria if c.checks])
def test_criterion(criterion):
    assert {each.verdict.value for each in findings[criterion]} == {"pass"}
"""


def run_baseline(made: list[Path], folder: Path) -> dict[str, int]:
    """One pytest process a submission, two at a time; passed criteria by submission."""
    test = folder / "test_submission.py"
    test.write_text(BASELINE)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "STANDARD": str(folder / "standard.pickle"),
    }

    def one(path: Path) -> tuple[str, int]:
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", str(test)],
            env=environment | {"SUBMISSION": str(path)},
            cwd=folder,
            capture_output=True,
            text=True,
        )
        words = result.stdout.replace(",", "").split()
        return path.stem, int(words[words.index("passed") - 1]) if "passed" in words else 0

    with ThreadPoolExecutor(WORKERS) as threads:
        return dict(threads.map(one, made))


def run_ours(assignment: str, made: list[Path], out: Path) -> dict[str, int]:
    """`grader grade -j 2`; by submission, the criteria of which every check passed.

    From the kept grades: what the checks found, before a mark is made of it.
    """
    command = [sys.executable, "-m", "grader", "grade", assignment, str(made[0].parent)]
    command += ["-j", str(WORKERS), "--out", str(out), "--json"]
    place = out / "gradebook.db"
    told = {**os.environ, "GRADER_GRADEBOOK": str(place)}
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=told)
    with Gradebook(place) as book:
        rows = book.grades(assignment)
        seen = book.observations(row.run_key for row in rows)
    return {
        row.student: sum(
            bool(findings) and all(each.verdict is Verdict.PASS for each in findings)
            for findings in seen[row.run_key].findings.values()
        )
        for row in rows
    }


class Stages:
    """Seconds by stage, one entry a submission."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds.setdefault(name, []).append(time.perf_counter() - started)


def time_stages(assignment: str, made: list[Path], folder: Path, most: int) -> Stages:
    """Each stage on its own, one submission at a time, on at most `most` of them."""
    stages, zygote = Stages(), Zygote()
    runner = Runner(zygote)
    marker = Marker(ROOT, assignment, runner)
    zygote.training = marker.trains
    standard, rubric = marker.standard, marker.standard.rubric
    one_trial = standard.trials[:1]
    for submission in collect(made[:most], assignment).submissions:
        with stages.stage("fork, set up, tear down (one trial)"):
            runner.run(Job(source="", modules={}, trials=one_trial))
        with stages.stage("load"):
            loaded = load(submission, top_level(rubric))
        job = Job(source=loaded.source, modules={}, trials=standard.trials, limits=rubric.limits)
        runner.run(replace(job, source=""))  # so that the questions are encoded, as in a class
        with stages.stage("run (with its fork)"):
            outputs = runner.run(job)
        names = [(trial.case, trial.variant) for trial in standard.trials]
        with stages.stage("compare"):
            judge(rubric, standard.settings, dict(zip(names, outputs, strict=True)))
        desk = Desk(standard=standard, skeleton=b"", open=runner.open, mistakes=marker.mistakes)
        graded = grade(submission, desk, provenance("", runner.isolation().level))
        with stages.stage("report"):
            write_student(folder / "report", graded, "en")
    zygote.close()
    return stages


def prepare(assignment: str, folder: Path) -> None:
    """What the baseline reads: rubric, settings and trials."""
    zygote = Zygote()
    standard = Marker(ROOT, assignment, Runner(zygote)).standard
    content = (standard.rubric, dict(standard.settings), standard.trials)
    (folder / "standard.pickle").write_bytes(pickle.dumps(content))
    zygote.close()


def timed(what: Callable[[], dict[str, int]]) -> tuple[float, dict[str, int]]:
    """Wall-clock seconds of a call, and its result."""
    started = time.perf_counter()
    result = what()
    return time.perf_counter() - started, result


def measure(assignment: str, count: int, seed: int) -> None:
    """Generates a class, grades it both ways, prints."""
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        folder = Path(name)
        prepare(assignment, folder)
        made = generate(folder / "class", assignment, count, seed)
        ours, our_passes = timed(lambda: run_ours(assignment, made, folder / "out"))
        baseline, their_passes = timed(lambda: run_baseline(made, folder))
        stages = time_stages(assignment, made, folder, 30)
    print(f"\n{assignment}: {count} submissions, {WORKERS} at a time")
    print(f"{'':38}{'seconds':>10}{'a second':>10}")
    print(f"{'grader grade -j 2, with reports':38}{ours:10.1f}{count / ours:10.1f}")
    print(f"{'one pytest process a submission':38}{baseline:10.1f}{count / baseline:10.2f}")
    print(f"ratio {baseline / ours:.1f} (target {TARGET:.0f})")
    differing = [each for each in our_passes if our_passes[each] != their_passes[each]]
    print(f"submissions with another number of passed criteria: {len(differing)}")
    print(f"\n{'one at a time, milliseconds':38}{'median':>10}{'mean':>10}")
    for stage, seconds in stages.seconds.items():
        middle, mean = statistics.median(seconds) * 1e3, statistics.mean(seconds) * 1e3
        print(f"{stage:38}{middle:10.1f}{mean:10.1f}")


def main() -> None:
    """Measures one assignment after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assignments", nargs="+", default=["mha"])
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"NumPy {np.__version__}, torch {version('torch')}, seed {arguments.seed}")
    for assignment in arguments.assignments:
        measure(assignment, arguments.submissions, arguments.seed)
    isolation.measure(rounds=100)


if __name__ == "__main__":
    main()
