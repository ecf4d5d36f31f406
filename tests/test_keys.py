"""Content keys: words are in neither, points in one, and what is observed in both."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_course import make_course

from grader.assignment import read_assignment
from grader.keys import Basis, basis, changed, engine_digest, submission_digest
from grader.policy import Policy
from grader.types import Submission, SubmittedFile


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path / "course")


def of(course: Path, isolation: str = "A", secret: str = "s", **policy: object) -> Basis:
    told = Policy(**policy)  # type: ignore[arg-type]
    return basis(read_assignment(course, "tiny"), isolation, secret, told)


@pytest.mark.parametrize(
    ("old", "new", "parts", "runs"),
    [
        ("Twice the input", "Two times it", (), False),
        ("read: goal", "read: other", (), False),
        ('{en: "yes", ko: 예}', "{en: clear, ko: 예}", (), False),
        ("points: 2", "points: 3", ("points",), False),
        ("points: 1,", "points: 1, bonus: true,", ("points",), False),
        ("memory_mb: 512", "memory_mb: 600", ("limits",), True),
        ("[torch.add]", "[torch.mul]", ("forbidden",), True),
        ("{B: 2, N: 3}", "{B: 2, N: 4}", ("cases",), True),
        ("[close, pure]", "[close]", ("checks",), True),
    ],
)
def test_a_change_of_the_rubric_is_in_the_keys_it_belongs_to(
    old: str, new: str, parts: tuple[str, ...], runs: bool, course: Path
) -> None:
    before, path = of(course), course / "rubrics" / "tiny.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    after = of(course)
    assert changed(before.parts, after.parts) == parts
    assert (before.run_key("x") != after.run_key("x")) is runs
    assert (before.score_key("x") != after.score_key("x")) is bool(parts)
    assert (before.key != after.key) is bool(parts)


def test_reference_secret_level_and_policy_are_in_them(course: Path) -> None:
    before = of(course)
    assert changed(before.parts, of(course, isolation="B").parts) == ("isolation",)
    assert changed(before.parts, of(course, secret="t").parts) == ("secret",)
    late = of(course, attempts="best")
    assert changed(before.parts, late.parts) == ("policy",)
    assert (late.run_key("x"), late.score_key("x") == before.score_key("x")) == (
        before.run_key("x"),
        False,
    )
    path = course / "reference" / "tiny.py"
    path.write_text(path.read_text() + "# more\n")
    assert changed(before.parts, of(course).parts) == ("reference",)


def test_the_secret_itself_is_in_no_part(course: Path) -> None:
    assert "swordfish" not in str(of(course, secret="swordfish"))


def test_names_and_bytes_of_files_are_told_apart() -> None:
    def digest(*files: tuple[str, bytes]) -> str:
        made = tuple(SubmittedFile(name=name, content=content) for name, content in files)
        return submission_digest(Submission(student="a", assignment="t", path="p", files=made))

    listed = [digest(("a", b"bc")), digest(("ab", b"c")), digest(("a", b"b"), ("c", b""))]
    assert len(set(listed)) == 3
    one = Submission(student="a", assignment="t", path="p", files=())
    assert submission_digest(one) == submission_digest(replace(one, student="b", path="q"))


def test_the_engines_digest_is_of_code_that_observes_and_of_nothing_else() -> None:
    assert len(engine_digest()) == 64 and engine_digest() == engine_digest()
