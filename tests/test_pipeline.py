"""One submission's way, on a tiny course."""

from contextlib import nullcontext
from fractions import Fraction

import pytest
from tiny_course import REFERENCE, RIGHT, WRONG, make_course

from grader.assignment import read_assignment
from grader.author import make_skeleton
from grader.expected import Standard, from_reference
from grader.mistakes import NoMistakes
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import (
    Grade,
    Outcome,
    RawOutput,
    Status,
    Submission,
    SubmittedFile,
    Trial,
    Verdict,
)


@pytest.fixture(scope="module")
def standard(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Standard:
    course = make_course(tmp_path_factory.mktemp("course"))
    return from_reference(read_assignment(course, "tiny"), runner.run, "secret")


def graded(source: str, standard: Standard, runner: Runner, name: str = "tiny.py") -> Grade:
    file = SubmittedFile(name=name, content=source.encode())
    submission = Submission(student="s", assignment="tiny", path="s", files=(file,))
    skeleton = make_skeleton(REFERENCE, "r").encode()
    desk = Desk(standard=standard, skeleton=skeleton, open=runner.open, mistakes=NoMistakes())
    return grade(submission, desk, provenance("key", "E"))


def verdicts(result: Grade) -> dict[str, Verdict | None]:
    return {criterion.id: criterion.verdict for criterion in result.criteria}


def test_a_right_submission_has_full_marks_and_waits_for_the_manual_ones(
    standard: Standard, runner: Runner
) -> None:
    result = graded(RIGHT, standard, runner)
    assert (result.status, result.earned, result.possible) == (Status.GRADED, 6, 6)
    assert result.pending == Fraction(1, 2)
    assert verdicts(result)["clarity"] is None


def test_a_wrong_value_fails_its_criterion_and_no_other(standard: Standard, runner: Runner) -> None:
    result = graded(WRONG, standard, runner)
    assert verdicts(result) == {
        "shape": Verdict.PASS,
        "value": Verdict.FAIL,
        "scale": Verdict.PASS,
        "clarity": None,
    }
    assert result.earned == 4


def test_an_error_carries_the_line_of_the_students_file(standard: Standard, runner: Runner) -> None:
    result = graded(RIGHT.replace("x + x", "x / 0 + y"), standard, runner)
    (criterion,) = [each for each in result.criteria if each.id == "shape"]
    finding = criterion.findings[0]
    assert (finding.verdict, finding.code) == (Verdict.ERROR, "outcome.raised")
    assert finding.origin is not None
    assert (finding.origin.file, finding.origin.line) == ("tiny.py", 4)


def test_a_missing_name_asks_whether_another_was_meant(standard: Standard, runner: Runner) -> None:
    result = graded(RIGHT.replace("def double", "def Double"), standard, runner)
    finding = result.criteria[0].findings[0]
    assert finding.code == "outcome.missing_near"
    assert finding.facts == {"entry": "double", "near": "Double"}


def test_forbidden_api_costs_the_entry_that_used_it(standard: Standard, runner: Runner) -> None:
    source = RIGHT.replace("import torch\n", "import torch\nfrom torch import add as plus\n")
    result = graded(source.replace("x + x", "plus(x, x)"), standard, runner)
    assert verdicts(result)["shape"] is Verdict.FAIL
    assert verdicts(result)["scale"] is Verdict.PASS
    finding = result.criteria[0].findings[0]
    assert (finding.code, finding.facts["api"]) == ("forbidden.used", "torch.add")
    assert finding.origin is not None and finding.origin.line == 5


def test_forbidden_api_is_seen_at_run_time_too(standard: Standard, runner: Runner) -> None:
    source = RIGHT.replace("x + x", "getattr(torch, 'ad' + 'd')(x, x)")
    finding = graded(source, standard, runner).criteria[0].findings[0]
    assert (finding.code, finding.facts) == ("forbidden.ran", {"api": "torch.add"})


@pytest.mark.parametrize(
    ("source", "name", "status", "earned"),
    [
        (make_skeleton(REFERENCE, "r"), "tiny.py", Status.NOT_STARTED, 0),
        ("no json", "tiny.ipynb", Status.UNREADABLE, None),
        ("", "tiny.py", Status.UNREADABLE, None),
        ("def double(:\n", "tiny.py", Status.UNREADABLE, None),
    ],
)
def test_what_was_not_looked_at_has_its_own_status(
    source: str,
    name: str,
    status: Status,
    earned: int | None,
    standard: Standard,
    runner: Runner,
) -> None:
    result = graded(source, standard, runner, name)
    assert (result.status, result.earned) == (status, earned)
    assert (result.possible, result.pending) == (6, 0)


def test_our_own_fault_withholds_the_mark(standard: Standard) -> None:
    def broken(trials: tuple[Trial, ...]) -> tuple[RawOutput, ...]:
        return (RawOutput(outcome=Outcome.BROKEN, facts={"reason": "gone"}),) * len(trials)

    file = SubmittedFile(name="tiny.py", content=RIGHT.encode())
    submission = Submission(student="s", assignment="tiny", path="s", files=(file,))
    desk = Desk(
        standard=standard, skeleton=b"", open=lambda job: nullcontext(broken), mistakes=NoMistakes()
    )
    result = grade(submission, desk, provenance("", "E"))
    assert (result.status, result.earned) == (Status.WITHHELD, None)


def test_a_crash_in_one_entry_costs_that_entry_only(standard: Standard, runner: Runner) -> None:
    result = graded(RIGHT.replace("return x + x", "import os; os._exit(0)"), standard, runner)
    assert verdicts(result)["shape"] is Verdict.ERROR
    assert verdicts(result)["scale"] is Verdict.PASS


def test_a_crash_at_import_costs_every_criterion(standard: Standard, runner: Runner) -> None:
    result = graded(RIGHT + "\nclass Scale(Scale):\n    size = 1 / 0\n", standard, runner)
    found = verdicts(result)
    assert (found["shape"], found["scale"]) == (Verdict.ERROR, Verdict.ERROR)
    assert found["value"] is Verdict.BLOCKED
    assert result.earned == 0
