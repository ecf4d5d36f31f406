"""A public case as a script that runs without the grader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import run
from tiny_course import RIGHT, WRONG, make_course

from grader.assignment import assignment_names
from grader.errors import UsageError
from grader.expected import from_bundle
from grader.replay import replay_script

ROOT = Path(__file__).resolve().parent.parent

COMPARE = """
import contextlib, io, json, sys
import numpy as np, torch
for number, (script, expected) in enumerate(json.loads(sys.stdin.read())):
    namespace = {"__name__": "script"}
    torch.set_default_dtype(torch.float32)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(script, f"<script {number}>", "exec"), namespace)
    assert printed.getvalue().startswith("got:"), script[:300] + printed.getvalue()[:300]
    leaves = []
    def flat(value):
        if isinstance(value, list) and all(isinstance(each, float) for each in value):
            leaves.append(np.asarray(value))
        elif isinstance(value, (tuple, list)):
            [flat(each) for each in value]
        elif isinstance(value, dict):
            [flat(each) for each in value.values()]
        elif isinstance(value, torch.Tensor):
            leaves.append(value.detach().numpy())
        else:
            leaves.append(np.asarray(value))
    flat(namespace["got"])
    for mine, right in zip(leaves, expected, strict=True):
        assert np.allclose(mine, np.asarray(right), rtol=1e-7, atol=1e-9, equal_nan=True), (
            script[:200], mine, right)
print("all", number + 1)
"""


def test_the_script_of_every_public_case_gives_what_the_grader_expects(tmp_path: Path) -> None:
    told = []
    for name in assignment_names(ROOT):
        bundle = from_bundle(ROOT / "assignments" / name)
        (tmp_path / f"{name}.py").write_bytes((ROOT / "reference" / f"{name}.py").read_bytes())
        for case, setting in bundle.standard.settings.items():
            leaves = setting.expected.leaves[-1]
            if all(leaf.array is not None for leaf in leaves):
                arrays = [leaf.array.tolist() for leaf in leaves if leaf.array is not None]
                told.append((replay_script(bundle, case, name), arrays))
    ran = subprocess.run(
        [sys.executable, "-c", COMPARE],
        cwd=tmp_path,
        input=json.dumps(told),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout == f"all {len(told)}\n" and len(told) > 60


def test_a_failure_is_replayed_with_the_numbers_that_the_report_names(tmp_path: Path) -> None:
    course, home = make_course(tmp_path / "course"), tmp_path / "home"
    assert run("release", "tiny", "--to", home, cwd=course).returncode == 0
    (home / "tiny.py").write_text(WRONG)
    printed = run("replay", "seen", cwd=home)
    assert printed.returncode == 0, printed.stderr
    (home / "seen.py").write_text(printed.stdout, encoding="utf-8")
    ran = subprocess.run([sys.executable, "seen.py"], cwd=home, capture_output=True, text=True)
    assert ran.stdout.startswith("got:\ntensor(["), ran.stderr
    assert "# expected = torch.tensor([[" in printed.stdout
    assert "from tiny import double" in printed.stdout
    pasted = run("replay", "seen", "--cell", cwd=home).stdout
    assert "from tiny" not in pasted
    exec(compile(RIGHT + pasted, "cell", "exec"), {})


def test_a_case_that_is_not_public_is_refused(tmp_path: Path) -> None:
    bundle = from_bundle(ROOT / "assignments" / "schedule")
    with pytest.raises(UsageError, match="expected a public case, got 'unseen'"):
        replay_script(bundle, "unseen", "schedule")
