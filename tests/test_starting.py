"""A starting point works as it is."""

from pathlib import Path

import pytest
from test_cli import run

from grader.errors import UsageError
from grader.starting import new_assignment, new_course


def test_a_new_course_can_be_released_and_graded_at_once(tmp_path: Path) -> None:
    made = run("new", "course", "my course", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    course = tmp_path / "my course"
    assert "grader release first" in made.stdout
    assert run("release", "first", cwd=course).returncode == 0
    graded = run("grade", "first", "reference/first.py", cwd=course)
    assert graded.returncode == 0, graded.stderr
    assert "3 / 3" in graded.stdout
    assert run("new", "assignment", "second_one", cwd=course).returncode == 0
    assert (course / "rubrics" / "second_one.yaml").is_file()
    assert run("audit", "first", cwd=course).returncode == 0


def test_nothing_is_written_over(tmp_path: Path) -> None:
    new_course(tmp_path)
    with pytest.raises(UsageError, match="empty folder"):
        new_course(tmp_path)
    with pytest.raises(UsageError, match="one that is there"):
        new_assignment(tmp_path, "first")


@pytest.mark.parametrize("name", ["", "two words", "../up", "9", "한글"])
def test_a_name_has_to_be_one_of_a_module(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="expected a name such as lstm"):
        new_assignment(tmp_path, name)
