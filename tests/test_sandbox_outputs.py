"""A frame is believed for its form only: whatever stands in it, a RawOutput comes out."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.sandbox.outputs import MISFITS, raw_output
from grader.types import Call, Job, Outcome, Trial

TRIAL = Trial(
    case="c",
    variant="base",
    entry="Net",
    weights={"w": np.zeros((2, 3))},
    calls=(Call(args={"x": np.zeros((4, 2)), "state": (np.zeros(5), 1)}),),
)
GRADIENTS = dataclasses.replace(TRIAL, probe="gradients")
JOB = Job(
    source="line 1\nline 2\nline 3",
    modules={},
    trials=(TRIAL,),
    forbidden=("torch.nn.LSTM", "torch.nn.GRU"),
)


def read(tree: Any, trial: Trial | None = TRIAL, printed: str = "") -> Any:
    return raw_output(tree, trial, JOB, printed)


def ok(**rest: Any) -> dict[str, Any]:
    leaf = {"path": "", "kind": "tensor", "dtype": "float64", "array": np.ones(2), "text": ""}
    return {"used": [], "leaves": [[leaf]], **rest}


def leaf(**changed: Any) -> dict[str, Any]:
    plain = {"path": "", "kind": "tensor", "dtype": "float64", "array": np.ones(2), "text": ""}
    return ok(leaves=[[plain | changed]])


def refused(tree: Any, trial: Trial | None = TRIAL) -> str:
    output = read(tree, trial)
    assert output.outcome is Outcome.UNREADABLE
    assert output.facts["reason"] == "frame"
    assert not output.leaves and not output.gradients and not output.parameters
    json.dumps(output.facts).encode()
    return str(output.facts["got"])


def test_what_our_worker_says_is_read() -> None:
    output = read(ok(used=["torch.nn.GRU"]), printed="hello")
    assert output.outcome is Outcome.OK
    assert output.used == ("torch.nn.GRU",) and output.stdout == "hello"
    ((got,),) = output.leaves
    assert (got.path, got.kind, got.dtype, got.array.tolist()) == ("", "tensor", "float64", [1, 1])


def test_the_answer_to_the_load_needs_no_values() -> None:
    assert read({"loaded": True, "used": []}, None).outcome is Outcome.OK


@pytest.mark.parametrize("tree", [None, 1, "text", [], (1,), np.zeros(2), {}, {"used": None}])
def test_what_is_no_answer_is_refused(tree: Any) -> None:
    refused(tree)
    refused(tree, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "tensors"},
        {"kind": np.ones(2)},
        {"kind": None},
        {"array": None},
        {"array": [1.0, 2.0]},
        {"array": 3},
        {"path": 3},
        {"dtype": ["float64"]},
        {"text": {"a": 1}},
        {"kind": "none"},
        {"kind": "text"},
        {"kind": "other"},
        {"kind": "number"},
        {"kind": "bool", "array": np.array([True, False])},
    ],
    ids=str,
)
def test_a_value_of_another_form_is_refused(changed: dict[str, Any]) -> None:
    refused(leaf(**changed))


@pytest.mark.parametrize("count", [0, 2, 5])
def test_another_number_of_calls_than_were_asked_is_refused(count: int) -> None:
    assert "expected 1 calls" in refused(ok(leaves=[[]] * count))


def test_an_api_that_was_not_forbidden_is_not_recorded() -> None:
    used = ["os.system", np.zeros(2), ["torch.nn.GRU"], None, "torch.nn.LSTM", "torch.nn.LSTM"]
    assert read(ok(used=used)).used == ("torch.nn.LSTM",)


@pytest.mark.parametrize("name", ["x", "state[0]", "w"])
def test_a_gradient_of_another_shape_than_what_was_sent_is_refused(name: str) -> None:
    tree = {"used": [], "gradients": {name: np.zeros(7)}}
    assert "gradient" in refused(tree, GRADIENTS)


def test_gradients_come_by_name_and_may_be_absent() -> None:
    tree = {"used": [], "gradients": {"w": np.ones((2, 3)), "x": None, "own": np.zeros(9)}}
    output = read(tree, GRADIENTS)
    assert output.outcome is Outcome.OK and output.gradients["x"] is None
    assert output.gradients["w"].shape == (2, 3)


@pytest.mark.parametrize("gradient", [1, [1.0], np.zeros((2, 3), int), np.zeros((2, 3), bool), "w"])
def test_a_gradient_that_is_no_float_array_is_refused(gradient: Any) -> None:
    refused({"used": [], "gradients": {"w": gradient}}, GRADIENTS)


def test_a_mode_that_comes_back_is_one_value() -> None:
    good = read(ok(inputs={"model.training": np.asarray(True)}))
    assert good.inputs["model.training"].shape == ()
    refused(ok(inputs={"model.training": np.array([True, False])}))
    refused(ok(inputs={"x": [1, 2]}))


# -- errors -----------------------------------------------------------------------------------


def raised(**changed: Any) -> Any:
    error = {"type": "ValueError", "message": "m", "line": 2, "memory": False, "module": ""}
    return read({"used": [], "error": error | changed})


def test_an_error_has_its_type_message_and_line() -> None:
    output = raised()
    assert output.outcome is Outcome.RAISED and output.facts == {}
    assert (output.error.type, output.error.message, output.error.line) == ("ValueError", "m", 2)


@pytest.mark.parametrize("line", [0, -1, 4, 10**30, True, None, "2", 2.0, [2], np.asarray(2)])
def test_a_line_that_the_source_lacks_is_dropped(line: Any) -> None:
    assert raised(line=line).error.line is None


def test_an_error_is_cut_and_cleaned() -> None:
    output = raised(type="T" * 500, message="\ud800" + "m" * 5000)
    assert len(output.error.type) == 80 and len(output.error.message) == 2000
    output.error.message.encode()


@pytest.mark.parametrize("changed", [{"type": 1}, {"message": ["m"]}, {"module": np.zeros(2)}])
def test_an_error_of_another_form_is_refused(changed: Any) -> None:
    assert raised(**changed).outcome is Outcome.UNREADABLE


def test_memory_is_believed_only_when_it_is_plainly_true() -> None:
    assert raised(memory=True).outcome is Outcome.MEMORY
    for other in (1, "yes", np.ones(2), None):
        assert raised(memory=other).outcome is Outcome.RAISED


# -- misfits ----------------------------------------------------------------------------------


def misfit(kind: Any, **facts: Any) -> Any:
    return read({"used": [], "misfit": kind, "facts": facts}, None)


@pytest.mark.parametrize("kind", MISFITS)
def test_every_misfit_has_its_outcome(kind: str) -> None:
    output = misfit(kind, entry="Net", missing=["w"])
    assert output.outcome is MISFITS[kind]
    assert output.facts == {"entry": "Net", "missing": ["w"]}


@pytest.mark.parametrize("kind", ["ok", "pass", "broken", "died", "", 3, ["missing"], np.ones(2)])
def test_another_outcome_cannot_be_claimed(kind: Any) -> None:
    assert misfit(kind).outcome is Outcome.UNREADABLE


def test_only_facts_that_a_sentence_needs_are_kept() -> None:
    # `setting`, `check` and the like are names of a finding's own fields.
    output = misfit("missing", entry="f", setting=1, check="shape", verdict="pass", origin=None)
    assert output.facts == {"entry": "f"}


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"missing": [], "unexpected": [], "misshapen": []},
        {"missing": "w"},
        {"missing": [["w"]]},
        {"unexpected": {"w": 1}},
        {"misshapen": [["w", [1]]]},
        {"misshapen": [["w", [1], "x"]]},
        {"misshapen": [["w", [-1], [2]]]},
        {"misshapen": ["wxy"]},
        {"misshapen": [[1, [1], [2]]]},
        {"missing": ["w"], "entry": ["Net"]},
    ],
    ids=str,
)
def test_a_mismatch_names_what_does_not_fit(facts: dict[str, Any]) -> None:
    assert misfit("mismatch", **facts).facts["reason"] == "frame"


def test_a_mismatch_has_its_shapes() -> None:
    facts = {"entry": "Net", "missing": [], "misshapen": [["w", [2, 3], [3, 2]]]}
    assert misfit("mismatch", **facts).facts == facts


def test_facts_are_cut_and_cleaned() -> None:
    facts = {"entry": "e" * 999, "missing": ["\udcff" + "m" * 999] * 999, "got": [[10**40, 2]] * 99}
    output = misfit("mismatch", **facts)
    assert len(output.facts["entry"]) == 300 and len(output.facts["missing"]) == 40
    assert output.facts["got"] == [[None, 2]] * 40
    json.dumps(output.facts, ensure_ascii=False).encode()


def test_parameters_are_read_as_described() -> None:
    row = {"name": "w", "shape": [2, 3], "trainable": True, "same_as": ""}
    (parameter,) = read({"used": [], "parameters": [row]}, None).parameters
    assert (parameter.name, parameter.shape, parameter.trainable) == ("w", (2, 3), True)
    for wrong in ({"shape": [-1]}, {"shape": [True]}, {"shape": 3}, {"name": 1}, {"same_as": []}):
        assert refused({"used": [], "parameters": [row | wrong]}, None)
    assert read({"used": [], "parameters": [row | {"trainable": 1}]}, None).parameters[
        0
    ] == dataclasses.replace(parameter, trainable=False)


# -- anything ---------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(categories=None), max_size=4)
    | st.sampled_from([*MISFITS, "tensor", "number", "none", "torch.nn.LSTM", "w", "x"])
    | st.sampled_from([np.zeros(()), np.ones(2), np.zeros((2, 3)), np.zeros(3, bool)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(
            st.sampled_from(
                [
                    "used",
                    "error",
                    "misfit",
                    "facts",
                    "leaves",
                    "gradients",
                    "inputs",
                    "parameters",
                    "path",
                    "kind",
                    "dtype",
                    "array",
                    "text",
                    "type",
                    "message",
                    "line",
                    "memory",
                    "module",
                    "entry",
                    "missing",
                    "misshapen",
                    "got",
                    "name",
                    "shape",
                    "x",
                    "w",
                    "model.training",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(anything, st.sampled_from([TRIAL, GRADIENTS, None]))
def test_any_frame_gives_an_output_that_can_be_written_down(tree: Any, trial: Trial | None) -> None:
    trees = [tree, {"used": [], **tree} if isinstance(tree, dict) else tree, ok(leaves=[tree])]
    for each in trees:
        output = read(each, trial)
        assert output.outcome not in (Outcome.BROKEN, Outcome.DIED, Outcome.TIMEOUT)
        json.dumps(output.facts, allow_nan=False, ensure_ascii=False).encode()
