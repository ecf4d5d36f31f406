"""One check of one criterion at a time, as pytest asks for it."""

from pathlib import Path

import pytest
from tiny_course import WRONG, make_course

from grader.assignment import read_assignment
from grader.author import hand_out, release
from grader.checking import Checks
from grader.course import Settings
from grader.packing import place
from grader.sandbox.runner import Runner
from grader.types import Verdict


@pytest.mark.parametrize(("language", "title"), [("en", "Twice the input"), ("ko", "입력의 두 배")])
def test_a_check_is_named_and_its_finding_said(
    tmp_path: Path, runner: Runner, language: str, title: str
) -> None:
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    files = hand_out(release(assignment, "secret", runner), assignment, Settings())
    place(files, "tiny", tmp_path / "home")
    (tmp_path / "home" / "tiny.py").write_text(WRONG)
    checks = Checks(tmp_path / "home", language)
    assert checks.title("value/close") == f"{title} [close]"
    found = checks.found("value/close")
    assert found.verdict is Verdict.FAIL and "double(x=[[" in found.text
    assert checks.found("value/pure").verdict is Verdict.BLOCKED
    assert checks.found("scale/gradient").verdict is Verdict.PASS
