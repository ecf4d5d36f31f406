"""`pytest` in a student's folder, and everywhere else."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from tiny_course import RIGHT, WRONG, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, release
from grader.course import Settings
from grader.packing import place
from grader.sandbox.runner import Runner

# As the installed package's entry point does it.
PLUGIN = ("-p", "grader.pytest_plugin")
ITEMS = ["shape/shape", "value/close", "value/pure", "scale/close", "scale/gradient", "scale/batch"]


@pytest.fixture
def home(tmp_path: Path, runner: Runner) -> Path:
    """A student's folder."""
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    files = hand_out(release(assignment, "secret", runner), assignment, Settings())
    place(files, "tiny", tmp_path / "home")
    return tmp_path / "home"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, *arguments],
        cwd=folder,
        env={**os.environ, "LANG": "C.UTF-8", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_there_is_one_test_for_each_check_and_all_pass_where_the_work_is_right(home: Path) -> None:
    (home / "tiny.py").write_text(RIGHT)
    ran = run_pytest(home, "-v", "--junitxml=out.xml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.findall(r"public\.json::(\S+) PASSED", ran.stdout) == ITEMS
    cases = ElementTree.parse(home / "out.xml").getroot().iter("testcase")
    assert [case.get("name") for case in cases] == ITEMS


def test_a_failure_says_what_was_found_without_a_wall_of_traceback(home: Path) -> None:
    (home / "tiny.py").write_text(WRONG)
    ran = run_pytest(home)
    assert ran.returncode == 1
    assert "Twice the input [close]" in ran.stdout
    assert "In case seen this was called: double(x=[[" in ran.stdout
    assert "values differ" in ran.stdout and "read in the hand-out: goal" in ran.stdout
    assert "Traceback" not in ran.stdout and "grader/" not in ran.stdout
    assert "4 passed" in ran.stdout and "1 failed" in ran.stdout and "1 skipped" in ran.stdout
    failure = ran.stdout.partition("= FAILURES =")[2].partition("\n====")[0]
    assert len(failure.strip().splitlines()) <= 8


def test_what_waits_for_something_else_is_skipped(home: Path) -> None:
    (home / "tiny.py").write_text(RIGHT.replace("x + x", "(x + x)[0]"))
    ran = run_pytest(home, "-o", "grader_language=ko")
    assert "1 failed" in ran.stdout and "2 skipped" in ran.stdout and "3 passed" in ran.stdout
    assert "먼저 통과해야 하는 항목: 올바른 모양" in ran.stdout


def test_an_untouched_folder_fails_with_what_to_do(home: Path) -> None:
    ran = run_pytest(home, "-x")
    assert "Nothing has been written yet" in ran.stdout and ran.returncode == 1


def test_no_file_and_a_damaged_folder_are_refused_in_a_sentence(home: Path) -> None:
    (home / "tiny.py").unlink()
    (home / "tiny.ipynb").unlink()
    assert "expected tiny.py or tiny.ipynb" in run_pytest(home, "-x").stdout
    (home / "public.json").write_text("{")
    ran = run_pytest(home)
    assert "fetch the assignment's folder again" in ran.stdout and "Traceback" not in ran.stdout


def test_elsewhere_it_does_nothing_and_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "public.json").write_text("{}")
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = [n for n in sys.modules if n.startswith('grader')]\n"
        "    assert ours == ['grader', 'grader.pytest_plugin'], ours\n"
        "    assert 'torch' not in sys.modules and 'pydantic' not in sys.modules\n"
    )
    ran = run_pytest(tmp_path, "-v")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout and "grader" not in ran.stdout.partition("collected")[2]
