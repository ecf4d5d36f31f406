"""What a course asks of the machine, and what is refused where the machine has less."""

from pathlib import Path

import pytest

from grader.course import Settings, read_settings, require
from grader.errors import CourseError, UsageError
from grader.sandbox.warm import Isolation


def at(level: str, *readable: str) -> Isolation:
    refused = {stricter: "Operation not permitted" for stricter in "AB" if stricter < level}
    return Isolation(level=level, refused=refused, readable=readable)


def test_a_course_without_the_file_or_with_an_empty_one_asks_for_nothing(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings(isolation="E")
    (tmp_path / "course.yaml").write_text("")
    assert read_settings(tmp_path) == Settings(isolation="E")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("isolation: C", r"expected 'A', 'B' or 'E', got 'C' @ .*course.yaml \$.isolation"),
        ("isolaton: A", r"known key, got 'isolaton'; did you mean 'isolation'\? @ .*course.yaml"),
        ("secret: x", r"expected a known key, got 'secret' @ .*course.yaml \$.secret"),
        ("[A]", r"expected a mapping, got .* @ .*course.yaml"),
        ("isolation: A\nisolation: B", r"more than once @ .*course.yaml line 2"),
        ("isolation: [", r"expected YAML, got .* @ .*course.yaml"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(text)
    with pytest.raises(CourseError, match=said):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("asked", "level", "enough"),
    [("A", "A", True), ("A", "B", False), ("A", "E", False), ("B", "A", True), ("B", "E", False)],
)
def test_a_machine_has_to_have_what_the_course_asks_for(
    asked: str, level: str, enough: bool, tmp_path: Path
) -> None:
    (tmp_path / "course.yaml").write_text(f"isolation: {asked}")
    if enough:
        require(at(level), tmp_path, hides=True, unisolated=False)
        return
    said = rf"expected isolation level {asked} or stricter, got {level} \(A: Operation.*course.yaml"
    for unisolated in (False, True):
        with pytest.raises(UsageError, match=said):
            require(at(level), tmp_path, hides=False, unisolated=unisolated)


def test_hidden_cases_are_refused_below_level_b(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hidden cases, got E .*--allow-unisolated"):
        require(at("E"), tmp_path, hides=True, unisolated=False)
    require(at("E"), tmp_path, hides=True, unisolated=True)
    require(at("E"), tmp_path, hides=False, unisolated=False)
    require(at("B"), tmp_path, hides=True, unisolated=False)


def test_a_course_that_submissions_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a course that submissions can't read"):
        require(at("A", str(tmp_path.parent)), tmp_path, hides=True, unisolated=False)
    require(at("A", f"{tmp_path}-other"), tmp_path, hides=True, unisolated=False)
