"""What nothing known explains: the same for the same answers, however they are computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming_course import RIGHT, graded, make_assignment, make_desk, written

from grader.diagnose.unexplained import unexplained
from grader.mistakes import NoMistakes
from grader.pipeline import Desk
from grader.sandbox.runner import Runner
from grader.types import (
    Case,
    CheckUse,
    Criterion,
    Diagnosis,
    Finding,
    Leaf,
    Outcome,
    RawOutput,
    Rubric,
    StudentError,
    Text,
    Trial,
    Unexplained,
    Verdict,
)


@pytest.fixture(scope="module")
def desk(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return make_desk(make_assignment(tmp_path_factory.mktemp("course")), runner)


def of(desk: Desk, source: str) -> dict[str, Unexplained]:
    return {each.entry: each for each in graded(desk, source).unexplained}


def test_the_same_wrong_answers_computed_another_way_have_one_digest(desk: Desk) -> None:
    one = of(desk, written(double="return x * 0.7 + 11 + x.sum()"))["double"]
    two = of(desk, written(double="return 11 + 0.1 * x + x.flip(0).sum() + 0.6 * x"))["double"]
    assert one == two and one.error == ""


def test_other_wrong_answers_have_another(desk: Desk) -> None:
    one = of(desk, written(double="return x * 0.7 + 11"))["double"]
    two = of(desk, written(double="return x * 0.7 + 11.001"))["double"]
    assert one.digest != two.digest


def test_nothing_is_kept_of_what_is_right_named_or_not_written(desk: Desk) -> None:
    assert of(desk, RIGHT) == {}
    assert "double" not in of(desk, written(double="return 1 + 3 * x"))
    assert "double" not in of(desk, written(double="raise NotImplementedError"))


def test_the_same_exception_everywhere_is_one_answer_whatever_its_numbers(desk: Desk) -> None:
    raised = "raise ValueError(f'{} of {{len(x)}} at {{id(x)}}')"
    one = of(desk, written(double=raised.format(1)))["double"]
    two = of(desk, written(double=raised.format(22)))["double"]
    other = of(desk, written(double="raise ValueError('else')"))["double"]
    assert one == two != other
    assert one.error == other.error == "ValueError"


NAME = Text(en="f", ko="f")
RUBRIC = Rubric(
    assignment="x",
    title=NAME,
    cases=(Case(id="c", entry="f", show="hidden"),),
    criteria=(
        Criterion(id="k", points=1, title=NAME, entry="f", checks=(CheckUse(name="close"),)),  # type: ignore[arg-type]
    ),
)
TRIALS = (Trial(case="c", variant="base", entry="f"),)
WRONG = {"k": (Finding(check="close", case="c", verdict=Verdict.FAIL),)}


def digest(output: RawOutput, *diagnoses: Diagnosis) -> list[str]:
    answers = {("c", "base"): output}
    found = unexplained(RUBRIC, TRIALS, answers, WRONG, diagnoses, NoMistakes())
    return [each.digest for each in found]


def answer(values: np.ndarray) -> RawOutput:
    return RawOutput(outcome=Outcome.OK, leaves=((Leaf(path="", kind="tensor", array=values),),))


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=30),
    st.integers(0, 2**32 - 1),
)
def test_rounding_sets_next_to_nothing_apart(values: list[float], seed: int) -> None:
    array = np.array(values)
    noise = 1 + 1e-15 * np.random.RandomState(seed).uniform(-1, 1, array.shape)
    assert digest(answer(array)) == digest(answer(array * noise))


def test_what_is_no_number_belongs_to_the_answer() -> None:
    nan, infinite = answer(np.array([1.0, np.nan])), answer(np.array([1.0, np.inf]))
    assert digest(nan) == digest(nan) != digest(infinite)


@pytest.mark.parametrize(
    "outcome", [Outcome.TIMEOUT, Outcome.DIED, Outcome.MISSING, Outcome.BROKEN]
)
def test_what_came_to_no_end_of_its_own_is_no_answer(outcome: Outcome) -> None:
    assert digest(RawOutput(outcome=outcome)) == []


def test_what_is_only_located_is_unexplained_and_what_is_named_is_not() -> None:
    output = answer(np.ones(3))
    assert len(digest(output, Diagnosis(entry="f", kind="located"))) == 1
    for kind in ("mistake", "carried", "variant"):
        assert digest(output, Diagnosis(entry="f", kind=kind)) == []  # type: ignore[arg-type]


def test_hostile_text_of_an_exception_does_no_harm() -> None:
    error = StudentError(type="\udcff\n", message="\t\x00" * 100)
    assert len(digest(RawOutput(outcome=Outcome.RAISED, error=error))) == 1
