"""The benchmark of growing classes still runs, and generates the same class each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "scale.py"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["one", "two", "dask"])
def test_it_measures_a_small_class_in_every_mode(mode: str) -> None:
    command = [sys.executable, str(SCRIPT), "--sizes", "6", "--modes", mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[-1].split()
    assert row[:2] == [mode, "6"] and len(row) == 11
    assert all(float(number) > 0 for number in row[1:])


def test_a_class_of_one_seed_is_the_same_every_time(tmp_path: Path) -> None:
    asked = "import sys; sys.path.insert(0, sys.argv[1]); import scale, pathlib; "
    asked += "scale.generate(pathlib.Path(sys.argv[2]), 30, 7)"
    for name in ("one", "two"):
        subprocess.run(
            [sys.executable, "-c", asked, str(SCRIPT.parent), str(tmp_path / name)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "random"},
        )
    one, two = (
        {path.name: path.read_text() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two and len(set(one.values())) == 30
