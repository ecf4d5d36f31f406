"""A course on disk."""

from pathlib import Path

import numpy as np
import pytest
from tiny_course import make_course

from grader.assignment import (
    DEFAULT_SECRET,
    assignment_names,
    course_secret,
    find_course,
    read_assignment,
    read_files,
)
from grader.errors import CourseError, UsageError


def test_the_nearest_folder_above_that_is_a_course_is_found(tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    deep = course / "assignments" / "tiny"
    assert find_course(deep) == course
    with pytest.raises(UsageError, match="--course"):
        find_course(tmp_path)


def test_an_assignment_that_does_not_exist_is_refused_with_a_likely_name(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    assert assignment_names(course) == ("tiny",)
    with pytest.raises(UsageError, match="did you mean 'tiny'"):
        read_assignment(course, "tinny")
    with pytest.raises(UsageError, match="it has tiny"):
        read_assignment(course, "../../etc/passwd")


def test_a_missing_reference_is_named(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    (course / "reference" / "tiny.py").unlink()
    with pytest.raises(CourseError, match=r"reference/tiny\.py"):
        read_assignment(course, "tiny")


def test_a_rubric_under_another_name_is_refused(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    (course / "rubrics" / "tiny.yaml").rename(course / "rubrics" / "small.yaml")
    with pytest.raises(CourseError, match=r"\$\.assignment"):
        read_assignment(course, "small")


def test_the_digest_changes_with_all_that_decides_a_mark_and_nothing_else(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    first = read_assignment(course, "tiny").digest
    (course / "assignments" / "tiny" / "README.md").write_text("other words")
    assert read_assignment(course, "tiny").digest == first
    np.savez(course / "assignments" / "tiny" / "data.npz", x=np.arange(3))
    second = read_assignment(course, "tiny").digest
    reference = course / "reference" / "tiny.py"
    reference.write_text(reference.read_text() + "\n")
    assert len({first, second, read_assignment(course, "tiny").digest}) == 3


def test_data_files_are_read_without_pickles(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", x=np.arange(3))
    assert read_files(tmp_path)["good.npz"]["x"].tolist() == [0, 1, 2]
    np.savez(tmp_path / "bad.npz", x=np.array([{}], dtype=object))
    with pytest.raises(CourseError, match=r"bad\.npz"):
        read_files(tmp_path)


def test_the_secret_comes_from_the_environment_or_an_untracked_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADER_SECRET", raising=False)
    assert course_secret(tmp_path) == DEFAULT_SECRET
    (tmp_path / ".grader-secret").write_text("from a file\n")
    assert course_secret(tmp_path) == "from a file"
    monkeypatch.setenv("GRADER_SECRET", "from the environment")
    assert course_secret(tmp_path) == "from the environment"
