"""What Gradescope is told, and the zip that it runs."""

import io
import json
import math
import os
import stat
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_grades import (
    by_hand,
    complete,
    criterion,
    erring,
    failing,
    finding,
    grade,
    passing,
    unreadable,
    withheld,
)
from tiny_course import RIGHT, WRONG, make_course

from grader.assignment import read_assignment
from grader.errors import EngineError, UsageError
from grader.exports.autograder import autograder_zip, pinned
from grader.exports.gradescope import hiding, results, write_results
from grader.reports.view import student_view
from grader.types import Grade, Verdict

TOP = {
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
    "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format",
    "tags", "visibility", "extra_data",
}  # fmt: skip
VISIBILITY = {"visible", "after_due_date", "after_published", "hidden"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
ALL = {"shape", "output", "weights", "causality", "padding", "gradient", "training"}


def told(each: Grade, **more: Any) -> dict[str, Any]:
    hides = more.pop("hides", ALL)
    return results(student_view(each), hides, more.pop("language", "en"), **more)


@pytest.mark.parametrize("each", [complete(), failing(), erring(), passing(), by_hand()])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_field_is_one_that_gradescope_knows(each: Grade, language: str) -> None:
    """Autograder specifications, "Output format": the fields, of which a score is needed at the top
    or in every test; "Controlling test case visibility": the four values; "Test case status".
    """
    said = told(each, language=language)
    assert set(said) == TOP
    assert isinstance(said["score"], float) and math.isfinite(said["score"])
    assert said["visibility"] in VISIBILITY and said["stdout_visibility"] == "hidden"
    assert said["output_format"] in FORMATS and said["test_output_format"] in FORMATS
    for test in said["tests"]:
        assert set(test) <= TEST
        assert test["visibility"] in VISIBILITY
        assert test.get("status", "passed") in ("passed", "failed")
        assert isinstance(test["tags"], list) and test["name"] and test["number"]
        assert all(math.isfinite(test[key]) for key in ("score", "max_score") if key in test)
    numbers = [test["number"] for test in said["tests"]]
    assert len(set(numbers)) == len(numbers)


def test_the_score_is_that_of_the_mark_and_no_bonus_raises_the_maximum() -> None:
    said = told(by_hand())
    scored = [test for test in said["tests"] if "score" in test]
    assert said["score"] == 3.67  # one point for the shape and 8/3 for the output, rounded once
    assert sum(test["max_score"] for test in scored) == 13
    bonus = grade("ada", (criterion("shape", bonus=True), criterion("output")))
    assert [t["max_score"] for t in told(bonus)["tests"] if "score" in t] == [0.0, 4.0]


@pytest.mark.parametrize("hidden", sorted(VISIBILITY - {"visible"}))
def test_nothing_that_rests_on_hidden_cases_is_shown_before_its_time(hidden: str) -> None:
    """ "Controlling test case visibility": while a test is hidden, the total is, too; so whoever
    hands in again and again learns nothing of hidden cases.
    """
    shape = criterion("shape", Verdict.PASS)
    by_cases = [
        grade("ada", (shape, criterion("output", verdict, *findings)))
        for verdict, findings in (
            (Verdict.PASS, (finding("", {}, verdict=Verdict.PASS),)),
            (
                Verdict.FAIL,
                (
                    finding("", {}, verdict=Verdict.PASS),
                    finding("close.mismatch", {}, hidden=True, case="secret"),
                ),
            ),
        )
    ]
    shown = []
    for each in by_cases:
        said = told(each, hidden=hidden)
        assert all(test["visibility"] == hidden for test in said["tests"] if "score" in test)
        shown.append(
            [said["output"], [test for test in said["tests"] if test["visibility"] == "visible"]]
        )
    assert shown[0] == shown[1]


def test_what_looks_at_public_cases_only_is_shown_at_once() -> None:
    said = told(complete(), hides={"output"})
    shown = {test["tags"][0] for test in said["tests"] if test["visibility"] == "visible"}
    assert shown >= ALL - {"output"}


def test_nothing_of_a_hidden_case_is_told() -> None:
    text = json.dumps(told(failing(), hidden="visible"), ensure_ascii=False)
    assert "secret-sizes" not in text and "hidden" in text


def test_a_withheld_mark_is_no_zero() -> None:
    with pytest.raises(EngineError, match="nothing is handed to Gradescope"):
        told(withheld())


def test_a_submission_that_cannot_be_read_says_so() -> None:
    said = told(unreadable())
    assert said["score"] == 0.0 and said["tests"] == []
    assert said["extra_data"]["status"] == "unreadable"
    assert said["output"]


@given(st.fractions(0, 10**6))
def test_every_number_is_finite_whatever_was_earned(points: Fraction) -> None:
    each = grade("ada", (criterion("output", earned=points),))
    said = json.loads(json.dumps(told(each), allow_nan=False))
    assert abs(Fraction(str(said["score"])) - points) <= Fraction(1, 200)


def test_results_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results" / "results.json"
    write_results(path, {"score": 1.0})
    with pytest.raises(ValueError, match="Out of range float"):
        write_results(path, {"score": math.nan})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EngineError, match="No space left on device"):
        write_results(path, {"score": 2.0})
    assert json.loads(path.read_text()) == {"score": 1.0}
    assert [each.name for each in path.parent.iterdir()] == ["results.json"]


# -- the zip ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_course(tmp_path_factory.mktemp("gradescope") / "course")


def test_criteria_that_look_at_hidden_cases_are_known_by_the_rubric(course: Path) -> None:
    assert hiding(read_assignment(course, "tiny").rubric) == {"shape", "value", "scale"}


def test_the_zip_holds_what_gradescope_asks_for(course: Path) -> None:
    """Autograder specifications, "File hierarchy": setup.sh and run_autograder at the top of the
    zip, which is unpacked to /autograder/source.
    """
    content = autograder_zip(course, "tiny", secret="s3cret")
    assert content == autograder_zip(course, "tiny", secret="s3cret")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert archive.read("course/.grader-secret") == b"s3cret"
        assert archive.read("requirements.txt").decode().split() == list(pinned())
        for script in ("setup.sh", "run_autograder"):
            assert archive.read(script).startswith(b"#!/usr/bin/env bash\n")
            assert modes[script] & stat.S_IXUSR
    assert {"course/rubrics/tiny.yaml", "course/reference/tiny.py", "grader/cli/grade.py"} <= {
        *names
    }
    assert "grader/reports/templates/report.html" in names
    assert not any(name.startswith("/") or ".." in name or "__pycache__" in name for name in names)


def test_packages_are_pinned_to_those_that_are_installed() -> None:
    assert any(line.startswith("torch==2.") and "+" not in line for line in pinned())
    assert all(line.count("==") == 1 for line in pinned())
    assert not any(line.startswith(("hypothesis", "mypy")) for line in pinned())


def test_an_assignment_that_is_not_there_is_refused(course: Path) -> None:
    with pytest.raises(UsageError, match="expected a released assignment"):
        autograder_zip(course, "none")
    with pytest.raises(UsageError, match="expected a name of letters"):
        autograder_zip(course, "x; rm -rf")


def run_autograder(folder: Path, submission: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Gradescope does for a hand-in, but for the container and the packages."""
    (folder / "submission").mkdir(parents=True)
    (folder / "results").mkdir()
    for name, text in submission.items():
        (folder / "submission" / name).write_text(text)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        ["bash", str(folder / "source" / "run_autograder")],
        env={**environment, "AUTOGRADER_ROOT": str(folder), "AUTOGRADER_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.parametrize(
    ("submission", "score"),
    [({"tiny.py": RIGHT}, 6.0), ({"my work.py": WRONG}, 4.0), ({"essay.txt": "no code"}, 0.0)],
    ids=["right", "wrong and misnamed", "no code"],
)
def test_the_zip_runs_and_writes_its_results(
    submission: dict[str, str], score: float, course: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(autograder_zip(course, "tiny", language="ko"))) as archive:
        archive.extractall(tmp_path / "source")
    done = run_autograder(tmp_path, submission)
    path = tmp_path / "results" / "results.json"
    assert path.exists(), done.stdout + done.stderr
    said = json.loads(path.read_text("utf-8"))
    assert set(said) == TOP and said["score"] == score
    if score == 6:
        assert done.returncode == 0
        assert any(test["name"] == "입력의 두 배" for test in said["tests"])


def test_a_fault_of_ours_leaves_no_results(course: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(autograder_zip(course, "tiny"))) as archive:
        archive.extractall(tmp_path / "source")
    reference = tmp_path / "source" / "course" / "reference" / "tiny.py"
    reference.write_text(reference.read_text().replace("x * 2", "x * nothing"))
    done = run_autograder(tmp_path, {"tiny.py": RIGHT})
    assert done.returncode != 0
    assert not (tmp_path / "results" / "results.json").exists()


def test_the_script_that_sets_up_is_sound_shell(course: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(autograder_zip(course, "tiny"))) as archive:
        for script in ("setup.sh", "run_autograder"):
            text = archive.read(script)
            checked = subprocess.run(["bash", "-n"], input=text, capture_output=True)
            assert checked.returncode == 0, checked.stderr
