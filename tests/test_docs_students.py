"""Every command of the students' page, in the order in which a student meets it."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import run
from tiny_course import RIGHT, WRONG, make_course

from grader.cli import COMMANDS, loaded

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "students.md").read_text("utf-8")


def commands() -> list[str]:
    """Every line of a block that is a command, without its comment."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
    lines = [line.partition("#")[0].strip() for _, block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("grader ")]


def test_every_command_and_option_of_the_page_exists() -> None:
    named = commands() + re.findall(r"`(grader [^`]+)`", PAGE)
    assert len(named) > 10
    for line in named:
        _, name, *rest = shlex.split(line.partition(">")[0])
        assert name in COMMANDS
        options = {option for each in loaded(name).params for option in each.opts}
        assert {word for word in rest if word.startswith("--")} <= options


def test_a_student_goes_the_way_of_the_page(tmp_path: Path) -> None:
    course, home = make_course(tmp_path / "course"), tmp_path / "과제" / "tiny"
    assert run("release", "tiny", "--to", home, cwd=course).returncode == 0
    assert run("release", "tiny", "--to", tmp_path / "lstm.zip", cwd=course).returncode == 0
    assert {"README.md", "requirements.txt", "pytest.ini", "bundle.json"} <= {
        path.name for path in home.iterdir()
    }
    first = run("check", cwd=home)
    assert first.returncode == 1 and "Nothing has been written yet" in first.stdout
    (home / "tiny.py").write_text(WRONG)
    wrong = run("check", cwd=home)
    (case,) = set(re.findall(r"grader replay (\w+)", wrong.stdout))
    replayed = run("replay", case, cwd=home)
    (home / "try.py").write_text(replayed.stdout, encoding="utf-8")
    assert subprocess.run([sys.executable, "try.py"], cwd=home, capture_output=True).returncode == 0
    assert run("check", "--report", "out.html", "--lang", "ko", cwd=home).returncode == 1
    assert "입력의 두 배" in (home / "out.html").read_text("utf-8")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "grader.pytest_plugin", "--junitxml=out.xml"],
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert "1 failed" in tested.stdout and (home / "out.xml").is_file()
    (home / "tiny.py").write_text(RIGHT)
    assert run("check", cwd=home).returncode == 0
    shutil.copy(tmp_path / "lstm.zip", home)
    assert run("release", "--update", "--from", "lstm.zip", cwd=home).returncode == 0
    assert (home / "tiny.py").read_text() == RIGHT


def test_the_workflow_has_the_three_systems_and_pythons() -> None:
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert [each.partition("-")[0] for each in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    for step in workflow["jobs"]["test"]["steps"]:
        for path in re.findall(r"tests/\S+\.py", step.get("run", "")):
            assert (ROOT / path).is_file()
