"""Every command of docs/instructors.md runs, in its order, in a course of one small assignment."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tiny_course import RIGHT, WRONG, hand_in, make_course

from grader.course import SETTINGS
from grader.rubric import parse_rubric, read_yaml

PAGE = Path(__file__).resolve().parent.parent / "docs" / "instructors.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S)
    for line in block.splitlines()
    if line.startswith("grader ")
]
YAML = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)


def test_the_commands_run_in_their_order(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    hand_in(course / "submissions" / "tiny", ada=RIGHT, bob=WRONG)
    settings, void = YAML
    (course / "course.yaml").write_text(settings.replace("lstm", "tiny"), encoding="utf-8")
    rubric = course / "rubrics" / "tiny.yaml"
    assert len(COMMANDS) >= 12
    for command in COMMANDS:
        words = [word.replace("lstm", "tiny") for word in shlex.split(command)[1:]]
        if words[:2] == ["regrade", "tiny"] and "--dry-run" not in words:
            rubric.write_text(rubric.read_text("utf-8") + "\n" + void, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "grader", *words],
            cwd=course,
            env={**os.environ, "PYTHONPATH": str(PAGE.parent.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    for name in ("marks.xml", "summary.md", "to-mark.csv", "results/tiny/ada/report.html"):
        assert (course / name).exists(), name
    assert not (course / "gradebook.db").exists()  # the test's own is elsewhere


def test_the_examples_of_yaml_are_read(tmp_path: Path) -> None:
    for name, text in zip(("course.yaml", "void.yaml"), YAML, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert SETTINGS.validate_python(read_yaml(tmp_path / "course.yaml", "x")).attempts == "latest"
    course = make_course(tmp_path / "course")
    rubric = read_yaml(course / "rubrics" / "tiny.yaml", "x") | read_yaml(
        tmp_path / "void.yaml", "x"
    )
    (void,) = parse_rubric(rubric, "x", ("shape", "close", "pure", "gradient", "batch")).void
    assert void.criterion == "value"
