"""What a user would pick instead, side by side: nbgrader, otter, pytest, unittest, a bare fork.

    .venv/bin/python benchmarks/peers                  # 27 and 300 submissions, three rounds
    .venv/bin/python benchmarks/peers --n 27 --rounds 3 --only grader floor unittest

Makes the peers' environments (torch 2.13.0 first, exact), generates a class, grades it with each in
turn, as shipped and tuned, and writes `table.md`, `plot.svg` and `runs.json` to --out. All make the
same twenty comparisons and reach the same marks, which is checked in every run. Then a class with
trouble: a submission that loops, one that ends its process, one that takes memory.

A size above --peers-up-to is not run with the four peers; they start a process for each submission,
so their time for it is projected from the largest size that was. After --minutes no further run is
begun. Run it on an idle machine.
"""

import argparse
import datetime
import json
import math
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import classes
import course
from environments import PEERS, TORCH, set_up
from measuring import run
from tables import ROWS, Line, Row, line_of, plot, projected, table, targets
from tools import TOOLS, Marks, Place, Setting, Tool

ROOT = course.ROOT
HIGHEST = float(len(course.COMPARISONS))
NEVER_SECONDS = 3600.0


class Benchmark:
    """One run of the benchmark: what is asked for, and what came of it so far."""

    def __init__(self, options: argparse.Namespace, work: Path):
        self.options, self.work = options, work
        self.until = time.monotonic() + 60 * options.minutes
        self.rows = [
            row
            for row in ROWS
            if row.workers in options.workers and (not options.only or row.tool in options.only)
        ]
        self.costs: dict[tuple[int, Row], list[dict[str, float]]] = {}
        self.agreed: dict[int, Marks] = {}
        self.troubled: list[str] = []
        self.kinds: dict[int, str] = {}

    def tools(
        self, students: list[classes.Student], folder: Path, rows: list[Row]
    ) -> dict[str, Tool]:
        """Every tool that is asked for, with the class where it wants it."""
        made = {}
        for kind in TOOLS:
            if any(row.tool == kind.name for row in rows):
                place = Place(
                    environments=self.options.envs,
                    course=self.work / "course",
                    questions=self.work / "questions.pickle",
                    work=folder / kind.name,
                )
                made[kind.name] = kind(place, students)
                say(f"preparing {len(students)} submissions for {kind.name}")
                made[kind.name].prepare()
        return made

    def measure(self) -> None:
        """Every row at every size, round by round, each round beginning with another row."""
        prepared = {}
        for count in self.options.n:
            students = classes.ordinary(count, self.options.seed)
            kinds = [student.kind for student in students]
            self.kinds[count] = ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(kinds))
            rows = [row for row in self.rows if self.is_run(row, count)]
            prepared[count] = rows, self.tools(students, self.work / str(count), rows)
        for number in range(self.options.rounds):
            for count, (rows, tools) in prepared.items():
                start = number * len(rows) // max(1, self.options.rounds)
                for row in rows[start:] + rows[:start]:
                    if time.monotonic() > self.until:
                        say("the minutes are over")
                        return
                    self.one(row, count, tools[row.tool], number)

    def is_run(self, row: Row, count: int) -> bool:
        return row.tool not in PEERS or count <= self.options.peers_up_to

    def one(self, row: Row, count: int, tool: Tool, number: int) -> None:
        """One run; a mark that differs from the others' ends the benchmark."""
        commands = tool.commands(Setting(workers=row.workers, tuned=row.tuned))
        cost, ran = run(commands, row.workers, NEVER_SECONDS)
        marks = tool.marks(ran)
        if not row.tool.startswith("battery"):
            agreed = self.agreed.setdefault(count, marks)
            differing = {
                name: (agreed[name], mark) for name, mark in marks.items() if agreed[name] != mark
            }
            if differing or len(marks) != count:
                said = "".join(each.stdout + each.stderr for each in ran.values())[-3000:]
                raise SystemExit(f"expected the marks of the others, got {differing} {row}\n{said}")
        self.costs.setdefault((count, row), []).append(asdict(cost))
        say(f"round {number + 1}, {count}: {row.label}: {cost.wall_seconds:.1f} s")
        self.write()

    def trouble(self) -> None:
        """What becomes of the three, and of the six right ones beside them.

        Each peer as it is best; the bare fork has no limit at all, so it would never end.
        """
        students = classes.trouble(self.options.seed)
        rows = [
            row
            for row in self.rows
            if row.workers == 2 and (row.tuned if row.tool in PEERS else row.tool == "grader")
        ]
        tools = self.tools(students, self.work / "trouble", rows)
        for row in rows:
            if time.monotonic() > self.until:
                say("the minutes are over")
                return
            commands = tools[row.tool].commands(Setting(workers=row.workers, tuned=row.tuned))
            cap = self.options.cap * math.ceil(len(students) / len(commands))
            cost, ran = run(commands, row.workers, cap)
            marks = tools[row.tool].marks(ran)
            rights = [marks.get(each.name) for each in students if each.kind == "right"]
            self.troubled.append(
                f"| {row.label} | {cost.wall_seconds:.1f} | {cost.peak_bytes / 1e6:.0f} | "
                + " | ".join(became(marks, f"s{kind}") for kind in classes.TROUBLE)
                + f" | {sum(mark == HIGHEST for mark in rights)} of {len(rights)} |"
            )
            say(self.troubled[-1])
            self.write()

    def lines(self, count: int) -> list[Line]:
        """The rows of one size that were measured, or can be projected."""
        found = []
        for row in self.rows:
            if costs := self.costs.get((count, row)):
                found.append(line_of(row, count, costs))
                continue
            smaller = [n for n in self.options.n if n < count and (n, row) in self.costs]
            if smaller and not self.is_run(row, count):
                base = line_of(row, max(smaller), self.costs[max(smaller), row])
                found.append(projected(base, count))
        return found

    def report(self) -> str:
        """The whole as Markdown."""
        versions = ", ".join(each for name in PEERS for each in PEERS[name])
        parts = [
            f"{datetime.date.today()}, {os.cpu_count()} cores, {platform.system()} "
            f"{platform.release()}, Python {platform.python_version()}, {', '.join(TORCH)}, "
            f"{versions}, seed {self.options.seed}. "
            f"Command: `{' '.join(['benchmarks/peers', *sys.argv[1:]])}`. "
            f"Load when it began: {LOAD:.2f}.",
        ]
        for count in self.options.n:
            if lines := self.lines(count):
                right = list(self.agreed.get(count, {}).values()).count(HIGHEST)
                parts += [
                    table(lines, count),
                    f"The class: {self.kinds[count]}; {right} with all 20.",
                ]
        said = [each for count in self.options.n for each in targets(self.lines(count), count)]
        if said:
            parts.append("\n".join(["Targets:", "", *said]))
        if self.troubled:
            head = "| | wall, s | peak, MB | loop | crash | memory | right ones with 20 |"
            parts.append("\n".join([TROUBLE_TITLE, "", head, "|" + " --- |" * 7, *self.troubled]))
        return "\n\n".join(parts) + "\n"

    def write(self) -> None:
        """What there is so far; the table, the plot and every run."""
        out = self.options.out
        (out / "table.md").write_text(self.report(), "utf-8")
        lines = [line for count in self.options.n for line in self.lines(count)]
        (out / "plot.svg").write_text(plot(lines), "utf-8")
        runs = [
            {"count": count, **asdict(row), "rounds": costs}
            for (count, row), costs in self.costs.items()
        ]
        (out / "runs.json").write_text(json.dumps(runs, indent=1), "utf-8")


LOAD = os.getloadavg()[0]
TROUBLE_TITLE = "### Nine submissions: six right, one loops, one ends its process, one takes memory"


def became(marks: Marks, name: str) -> str:
    """What became of one submission: its mark, or that there is none."""
    mark = marks.get(name)
    return "no mark" if mark is None else f"{mark:g} of {HIGHEST:g}"


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    """Reads the options, measures, prints the table."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/peers", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--n", type=int, nargs="+", default=[27, 300], help="sizes of the class")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[kind.name for kind in TOOLS], default=[])
    parser.add_argument("--workers", type=int, nargs="+", choices=(1, 2), default=[1, 2])
    parser.add_argument("--peers-up-to", type=int, default=27, help="largest size the peers run")
    parser.add_argument("--minutes", type=float, default=90.0, help="begin no run after that long")
    parser.add_argument(
        "--cap", type=float, default=60.0, help="seconds a submission, then stopped"
    )
    parser.add_argument("--no-trouble", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--envs", type=Path, default=home / "sequence-grader-peers")
    parser.add_argument("--out", type=Path, default=Path("results/peers"))
    options = parser.parse_args()
    options.n.sort()
    options.out.mkdir(parents=True, exist_ok=True)
    options.envs = options.envs.resolve()
    set_up(options.envs, tuple(name for name in PEERS if not options.only or name in options.only))
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        benchmark = Benchmark(options, Path(name))
        course.write_course(benchmark.work / "course")
        course.write_questions(benchmark.work / "course", benchmark.work / "questions.pickle")
        try:
            benchmark.measure()
            if not options.no_trouble:
                benchmark.trouble()
        except KeyboardInterrupt:
            say("interrupted; what was measured stands")
        print(benchmark.report())


if __name__ == "__main__":
    main()
