"""Which mistake was made: named only where everything agrees, and paid only once."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from naming_course import (
    ALL_POINTS,
    REFERENCE,
    RIGHT,
    RUBRIC,
    graded,
    make_assignment,
    make_desk,
    written,
)

from grader.diagnose import diagnose
from grader.mistakes import NoMistakes
from grader.pipeline import Desk
from grader.sandbox.runner import Runner
from grader.types import Diagnosis, Grade, Leaf, Outcome, RawOutput, Verdict


@pytest.fixture(scope="module")
def desk(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return make_desk(make_assignment(tmp_path_factory.mktemp("course")), runner)


def named(grade: Grade) -> dict[str, tuple[str, tuple[tuple[str, ...], ...]]]:
    return {each.entry: (each.kind, each.alternatives) for each in grade.diagnoses}


def earned(grade: Grade) -> dict[str, Fraction]:
    return {each.id: each.earned for each in grade.criteria}


def codes(grade: Grade, criterion: str) -> set[str]:
    (result,) = [each for each in grade.criteria if each.id == criterion]
    return {finding.code for finding in result.findings}


# -- naming -----------------------------------------------------------------------------------


def test_nothing_is_said_of_a_submission_with_full_marks(desk: Desk) -> None:
    result = graded(desk, RIGHT)
    assert (result.earned, result.diagnoses) == (ALL_POINTS, ())


@pytest.mark.parametrize(
    ("changed", "entry", "name"),
    [
        ({"double": "return 1 + 3 * x"}, "double", "triple"),
        ({"double": "return x + x"}, "double", "no-one"),
        ({"shift": "return 3 + double(x)"}, "shift", "other-way"),
        ({"scale": "return self.factor + double(x)"}, "Scale", "added"),
        ({"scale": "return self.factor.data * double(x)"}, "Scale", "detached"),
    ],
)
def test_one_mistake_written_another_way_has_its_name_words_and_place(
    desk: Desk, changed: dict[str, str], entry: str, name: str
) -> None:
    result = graded(desk, written(**changed))
    (first, *others) = result.diagnoses
    assert (first.entry, first.kind, first.alternatives) == (entry, "mistake", ((name,),))
    assert {each.kind for each in others} <= {"carried"}
    (known,) = [each for each in desk.standard.rubric.misconceptions if each.id == name]
    assert (first.symptoms, first.hints) == ((known.symptom,), (known.hint,))
    assert first.read == {"double": "goal", "shift": "shift", "Scale": ""}[entry]


def test_twins_are_one_mistake_with_two_names_of_which_the_first_is_said(desk: Desk) -> None:
    result = graded(desk, written(double="return 1 + 4 * x"))
    assert named(result)["double"] == ("mistake", (("fourfold",),))
    assert len(result.diagnoses[0].symptoms) == 1


def test_several_that_agree_are_all_said(runner: Runner, tmp_path: Path) -> None:
    rubric = RUBRIC.replace("twins: [double-twice]", "").replace("twins: [fourfold]", "")
    desk = make_desk(make_assignment(tmp_path, rubric), runner)
    result = graded(desk, written(double="return 1 + 4 * x"))
    assert named(result)["double"] == ("mistake", (("fourfold",), ("double-twice",)))
    assert [text.en for text in result.diagnoses[0].symptoms] == [
        "Doubled twice.",
        "Doubled two times over.",
    ]
    assert len(result.diagnoses[0].hints) == 2


def test_two_mistakes_in_one_entry_are_both_named(desk: Desk) -> None:
    result = graded(desk, written(double="return x + x + x"))
    assert named(result)["double"] == ("mistake", (("triple", "no-one"),))
    assert [text.en for text in result.diagnoses[0].symptoms] == [
        "The slope is too steep.",
        "Zero stays zero.",
    ]


def test_of_a_pair_only_what_an_earlier_entry_has_not_told_is_said(desk: Desk) -> None:
    result = graded(desk, written(double="return 1 + 3 * x", shift="return double(x) + 3"))
    assert named(result)["shift"] == ("mistake", (("triple", "other-way"),))
    assert [text.en for text in result.diagnoses[1].symptoms] == ["Shifted the other way."]
    assert len(result.diagnoses[1].hints) == 1
    assert earned(result)["shifted"] == 0


@pytest.mark.parametrize(
    "body",
    [
        "return 1 + 3 * x if x.shape[0] == 2 else 1 + 2 * x",
        "return 1 + 3 * x if x.shape[0] == 2 else x * 0.3",
        "x.add_(0.5)\n    return 1 + 3 * (x - 0.5)",
    ],
)
def test_nothing_is_asserted_that_one_output_contradicts(desk: Desk, body: str) -> None:
    result = graded(desk, written(double=body))
    assert earned(result)["value"] == 0
    assert named(result).get("double", ("located",))[0] == "located"


def test_a_mistake_that_raises_everywhere_has_no_diagnosis(desk: Desk) -> None:
    assert graded(desk, written(double="return undefined", scale="return 1 / 0")).diagnoses == ()


@pytest.mark.parametrize("broken", [False, True])
def test_where_an_answer_is_our_fault_nothing_is_said(desk: Desk, broken: bool) -> None:
    standard = desk.standard
    findings = {
        each.id: each.findings for each in graded(desk, written(double="return x")).criteria
    }
    answers = {
        (trial.case, trial.variant): RawOutput(
            outcome=Outcome.OK, leaves=twice(standard.settings[trial.case].expected.leaves)
        )
        for trial in standard.trials
        if trial.entry == "double"
    }
    if broken:
        answers["unseen", "base"] = RawOutput(outcome=Outcome.BROKEN)
    given = (standard.rubric, standard.settings, standard.trials, answers, findings)
    found = [each.code for each in diagnose(*given, desk.mistakes) if each.entry == "double"]
    assert found == ([] if broken else ["locate.factor"])


def twice(calls: tuple[tuple[Leaf, ...], ...]) -> tuple[tuple[Leaf, ...], ...]:
    return tuple(
        tuple(replace(leaf, array=2 * leaf.array) for leaf in call if leaf.array is not None)
        for call in calls
    )


def test_where_no_mistakes_are_known_it_is_only_said_where_it_differs(desk: Desk) -> None:
    unknowing = replace(desk, mistakes=NoMistakes())
    result = graded(unknowing, written(double="return (1 + 2 * x) * 7"))
    assert [(each.kind, each.code) for each in result.diagnoses[:1]] == [
        ("located", "locate.factor")
    ]


def test_an_entry_that_passed_before_it_needs_no_known_mistakes(desk: Desk) -> None:
    unknowing = replace(desk, mistakes=NoMistakes())
    (found,) = graded(unknowing, written(shift="return 7 * (double(x) - 3)")).diagnoses
    assert (found.entry, found.code) == ("shift", "locate.factor")


# -- one mistake costs once -------------------------------------------------------------------


def test_what_an_earlier_entry_got_wrong_is_carried_on_and_costs_once(desk: Desk) -> None:
    result = graded(desk, written(double="return 1 + 3 * x"))
    assert named(result) == {
        "double": ("mistake", (("triple",),)),
        "shift": ("carried", (("triple",),)),
        "Scale": ("carried", (("triple",),)),
    }
    assert earned(result) == {"value": 0, "shifted": 2, "scaled": 3, "alone": 1, "backward": 2}
    assert codes(result, "shifted") == codes(result, "scaled") == {"diagnosis.carried"}
    assert {each.verdict for each in result.criteria[1:]} == {Verdict.PASS}


def test_what_is_carried_is_not_paid_where_own_mistakes_would_go_unnoticed(desk: Desk) -> None:
    result = graded(desk, written(double="return x * float('nan')"))
    assert named(result) == {
        "double": ("mistake", (("nothing",),)),
        "shift": ("carried", (("nothing",),)),
        "Scale": ("carried", (("nothing",),)),
    }
    # Of shift nothing can be seen behind NaN; of Scale the gradients can.
    assert earned(result) == {"value": 0, "shifted": 0, "scaled": 3, "alone": 1, "backward": 2}
    assert blocked(result) == {"shifted": "value"}


def blocked(grade: Grade) -> dict[str, str]:
    return {each.id: each.blocked_by for each in grade.criteria if each.verdict is Verdict.BLOCKED}


AS_A_TUPLE = """misconceptions:
  - id: in-a-tuple
    edits: [{in: double, find: "x * 2 + 1", put: "(x * 2 + 1,)"}]
    symptom: {en: It stands in a tuple., ko: 튜플에 들어 있습니다.}
    hint: {en: "What does a comma make?", ko: "쉼표는 무엇을 만드나요?"}
    source: here
"""


@pytest.fixture(scope="module")
def raising(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Where a mistake of the first entry makes the others raise."""
    rubric = RUBRIC.replace("misconceptions:\n", AS_A_TUPLE)
    return make_desk(make_assignment(tmp_path_factory.mktemp("course"), rubric), runner)


def test_what_raises_by_an_earlier_mistake_waits_for_it(raising: Desk) -> None:
    result = graded(raising, written(double="return [1 + x + x][0],"))
    assert named(result) == {
        "double": ("mistake", (("in-a-tuple",),)),
        "shift": ("carried", (("in-a-tuple",),)),
        "Scale": ("carried", (("in-a-tuple",),)),
    }
    assert blocked(result) == dict.fromkeys(("shifted", "scaled", "alone", "backward"), "value")
    assert result.earned == 0


def test_what_raises_and_would_not_by_that_mistake_is_an_error(raising: Desk) -> None:
    result = graded(raising, written(double="return x * 3 + 1", shift="return 1 / 0"))
    assert named(result)["double"] == ("mistake", (("triple",),))
    assert "shift" not in named(result)
    (shifted,) = [each for each in result.criteria if each.id == "shifted"]
    assert shifted.verdict is Verdict.ERROR


def test_what_is_not_written_yet_is_said_to_be_so_whatever_is_wrong_before_it(
    raising: Desk,
) -> None:
    body = 'raise NotImplementedError("write shift")'
    result = graded(raising, written(double="return (1 + x + x,)", shift=body))
    assert "shift" not in named(result)
    assert codes(result, "shifted") == {"outcome.not_written"}
    assert blocked(result) == dict.fromkeys(("scaled", "alone", "backward"), "value")


def test_two_mistakes_of_two_earlier_entries_are_carried_on_together(
    runner: Runner, tmp_path: Path
) -> None:
    reference = REFERENCE.replace("y = double(x)", "y = x").replace(
        "return double(x) * self.factor", "return shift(x) + double(x) * self.factor"
    )
    desk = make_desk(make_assignment(tmp_path, RUBRIC, reference), runner)
    scale = "return self.factor * double(x) + shift(x)"
    result = graded(desk, written(double="return 1 + 3 * x", shift="return x + 3", scale=scale))
    assert named(result) == {
        "double": ("mistake", (("triple",),)),
        "shift": ("mistake", (("other-way",),)),
        "Scale": ("carried", (("triple", "other-way"),)),
    }
    assert earned(result) == {"value": 0, "shifted": 0, "scaled": 3, "alone": 1, "backward": 2}


def test_a_variant_is_named_and_earns_its_share(desk: Desk) -> None:
    result = graded(desk, written(shift="return double(x) - 2"))
    assert named(result) == {"shift": ("variant", (("by-two",),))}
    assert earned(result) == {"value": 2, "shifted": 1, "scaled": 3, "alone": 1, "backward": 2}
    assert codes(result, "shifted") == {"diagnosis.variant"}
    (variant,) = desk.standard.rubric.variants
    assert (result.diagnoses[0].symptoms, result.diagnoses[0].hints) == ((variant.note,), ())


def test_relations_and_gradients_that_hold_for_wrong_values_of_a_named_way_are_paid(
    desk: Desk,
) -> None:
    result = graded(desk, written(scale="return double(x) + self.factor"))
    assert named(result) == {"Scale": ("mistake", (("added",),))}
    assert earned(result) == {"value": 2, "shifted": 2, "scaled": 0, "alone": 1, "backward": 2}
    assert codes(result, "alone") == codes(result, "backward") == {"diagnosis.held"}


def test_they_are_not_paid_where_nothing_names_the_values(desk: Desk) -> None:
    result = graded(desk, written(scale="return double(x) ** 3 * self.factor"))
    assert earned(result) == {"value": 2, "shifted": 2, "scaled": 0, "alone": 0, "backward": 0}


def test_a_wrong_gradient_of_right_values_costs_the_gradient_only(desk: Desk) -> None:
    result = graded(desk, written(scale="return double(x) * self.factor.detach()"))
    assert named(result) == {"Scale": ("mistake", (("detached",),))}
    assert earned(result) == {"value": 2, "shifted": 2, "scaled": 3, "alone": 1, "backward": 0}


# -- where it differs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code", "facts"),
    [
        (
            {"shift": "return (double(x) - 3) * 2.5"},
            "locate.factor",
            {"factor": 2.5},
        ),
        ({"shift": "return double(x) + 4"}, "locate.offset", {"output": "y", "offset": 7.0}),
        ({"shift": "return (double(x) - 3).T"}, "locate.transposed", {"axes": ["N", "B"]}),
        ({"shift": "return (double(x) - 3).flip(1)"}, "locate.permuted", {"axis": "N"}),
        (
            {"shift": "y = double(x) - 3\n    y[:, 1] = 9\n    return y"},
            "locate.along",
            {"axis": "N", "places": "1", "more": None},
        ),
        (
            {"scale": "return double(x.detach()) * self.factor"},
            "locate.gradient",
            {"wrong": ["x"], "fine": ["factor"]},
        ),
    ],
)
def test_what_no_mistake_explains_is_located(
    desk: Desk, changed: dict[str, str], code: str, facts: dict[str, object]
) -> None:
    (found,) = graded(desk, written(**changed)).diagnoses
    assert (found.kind, found.code, found.alternatives) == ("located", code, ())
    assert found.hidden is False
    for name, value in facts.items():
        got = found.facts[name]
        assert got == (pytest.approx(value) if isinstance(value, float) else value)


def test_a_curve_says_by_itself_from_where_on_it_differs(runner: Runner, tmp_path: Path) -> None:
    rubric = RUBRIC.replace("ko: 이동}, checks: [close]", "ko: 이동}, checks: [curve]")
    desk = make_desk(make_assignment(tmp_path, rubric), runner)
    result = graded(desk, written(shift="y = double(x) - 3\n    y[:, 1] = 9\n    return y"))
    assert codes(result, "shifted") == {"curve.mismatch"}
    assert result.diagnoses == ()


def test_wrong_values_are_never_called_right_beside_a_wrong_gradient(desk: Desk) -> None:
    body = "return double(x.detach()) ** 2 * self.factor + self.factor * x.sin().detach()"
    for found in graded(desk, written(scale=body)).diagnoses:
        assert found.code != "locate.gradient"


def test_what_only_hidden_cases_show_is_kept_as_theirs(desk: Desk) -> None:
    body = "y = double(x) - 3\n    return y if x.shape[0] == 2 else y * 2"
    (found,) = graded(desk, written(shift=body)).diagnoses
    assert (found.code, found.hidden) == ("locate.factor", True)


def test_an_empty_diagnosis_is_impossible(desk: Desk) -> None:
    for changed in (
        {"double": "return x * 3 + 1"},
        {"double": "return x ** 2"},
        {"shift": "return x"},
    ):
        for found in graded(desk, written(**changed)).diagnoses:
            assert isinstance(found, Diagnosis)
            assert bool(found.alternatives) != bool(found.code)
