"""Where a submission's time goes, stage by stage, against a budget for each.

    .venv/bin/python benchmarks/stages.py [--submissions 60] [--seed 0] [--assignment mha]

Grades a class one at a time, full battery, with what known mistakes answer known before, and prints
the median and the mean of every stage that `grader grade --profile` tells of. Run it on an idle
machine: with others at work a stage waits for its processor.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

from throughput import ROOT, generate

from grader.collect import collect
from grader.executors import Serial
from grader.instructor import Marker, grade_class
from grader.profile import ORDER, Profile
from grader.sandbox.runner import Runner
from grader.sandbox.warm import Zygote

BUDGETS = {
    "load": 10.0,
    "fork": 8.0,
    "lock-down": 6.0,
    "build": 15.0,
    "run": 50.0,
    "gradients": 15.0,
    "talk": 25.0,
    "end": 8.0,
    "compare": 20.0,
    "diagnose": 20.0,
    "report": 15.0,
    "gradebook": 3.0,
}
"""Milliseconds that a stage may take in the mean, for each submission of a mixed class."""


def profiled(assignment: str, count: int, seed: int, folder: Path) -> Profile:
    """The profile of a class, in which half the submissions are there to warm up."""
    made = generate(folder / "class", assignment, 2 * count, seed)
    zygote = Zygote()
    try:
        marker = Marker(ROOT, assignment, Runner(zygote))
        zygote.training = marker.trains
        found = collect(made, assignment)
        halves = found.submissions[:count], found.submissions[count:]
        for number, half in enumerate(halves):
            profile = marker.profile = Profile()
            part = dataclasses.replace(found, submissions=half)
            with profile.run():
                grade_class(marker, part, folder / f"out-{number}", Serial(), fresh=True)
    finally:
        zygote.close()
    return profile


def print_budgets(profile: Profile) -> None:
    """A line for each stage."""
    stages = profile.by_stage()
    print(f"{'milliseconds a submission':28}{'mean':>8}{'median':>8}{'budget':>8}")
    for name in ORDER:
        mean, middle = stages[name].mean_seconds * 1e3, stages[name].median_seconds * 1e3
        said = f"{middle:8.1f}" if middle else f"{'':8}"
        over = "" if mean <= BUDGETS[name] else "  OVER"
        print(f"{name:28}{mean:8.1f}{said}{BUDGETS[name]:8.0f}{over}")
    total = sum(stages[name].mean_seconds for name in ORDER) * 1e3
    print(f"{'all of them':28}{total:8.1f}{'':8}{sum(BUDGETS.values()):8.0f}")
    print(f"{'the whole run':28}{profile.seconds / len(profile.taken) * 1e3:8.1f}")


def main() -> None:
    """Measures, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assignment", default="mha")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stages-") as name:
        chosen = options.assignment, options.submissions, options.seed
        print_budgets(profiled(*chosen, Path(name)))


if __name__ == "__main__":
    main()
