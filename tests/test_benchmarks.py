"""The benchmarks measure what their README says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
README = (BENCHMARKS / "README.md").read_text("utf-8")


def run(*arguments: str, timeout: float = 250) -> str:
    """What a benchmark prints, in an environment where `grader` is this one."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{BENCHMARKS}:{BENCHMARKS / 'peers'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
    ).stdout


def test_every_benchmark_is_in_the_readme_and_has_a_help_page() -> None:
    for path in sorted(BENCHMARKS.glob("*.py")):
        assert f"`.venv/bin/python benchmarks/{path.name}`" in README, path.name
    assert "--peers-up-to" in run("benchmarks/peers", "--help")


def test_the_budgets_of_the_readme_are_those_of_the_benchmark_and_of_every_stage() -> None:
    told = json.loads(
        run(
            "-c",
            "import json, stages, grader.profile as p; "
            "print(json.dumps([stages.BUDGETS, p.MEANS, p.ORDER]))",
        )
    )
    budgets, means, order = told
    table = README.partition("| stage | budget, ms | what |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([\w-]+) \| (\d+) \| (.+) \|$", table, re.M)
    assert [name for name, _, _ in rows] == list(budgets) == order
    assert {name: float(budget) for name, budget, _ in rows} == budgets
    assert {name: what for name, _, what in rows}.items() <= means.items()


def test_a_class_is_the_same_for_a_seed_and_another_for_another() -> None:
    code = (
        "import classes, hashlib\n"
        "for seed in (0, 0, 1):\n"
        "    made = classes.ordinary(27, seed)\n"
        "    text = ''.join(each.kind + each.source for each in made)\n"
        "    print(hashlib.sha256(text.encode()).hexdigest(), {each.kind for each in made})\n"
    )
    first, again, other = run("-c", code).splitlines()
    assert first == again != other
    assert all(kind in first for kind in ("right", "wrong", "crashing"))


@pytest.mark.slow
def test_grader_and_the_floor_reach_the_same_marks_and_the_table_says_what_they_took(
    tmp_path: Path,
) -> None:
    options = ("--n", "5", "--rounds", "1", "--no-trouble", "--only", "grader", "floor")
    said = run("benchmarks/peers", *options, "--out", str(tmp_path))
    assert said.strip() == (tmp_path / "table.md").read_text("utf-8").strip()
    rows = re.findall(r"^\| (grader grade|bare fork).*\| [\d.]+ \|$", said, re.M)
    assert len(rows) == 4
    assert "against the bare fork" in said and "peak memory" in said
    assert (tmp_path / "plot.svg").read_text("utf-8").startswith("<svg")
    runs = json.loads((tmp_path / "runs.json").read_text("utf-8"))
    assert all(cost["peak_bytes"] > 0 for each in runs for cost in each["rounds"])
