"""What can't be adapted is said: expected, got, where, and what to declare."""

from pathlib import Path

import numpy as np
import pytest
from test_adapters import handed_in, wrong

from grader.adapters import find_adapter
from grader.adapters.axes import Unfit, layout, to_ours, to_theirs
from grader.adapters.expressions import value
from grader.errors import CourseError, UsageError
from grader.instructor import Marker
from grader.sandbox.runner import Runner

ROOT = Path(__file__).resolve().parent.parent
GOOD = """
assignment: lstm
entries:
  LSTMCell:
    blocks: i f g o
    params:
      W: {columns: [weight_ih, weight_hh]}
      b: bias_ih + bias_hh
"""


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ("assignment: lstm", "assignment: mha", "expected an adapter for 'lstm', got 'mha'"),
        ("LSTMCell:", "LSTMCel:", "did you mean 'LSTMCell'"),
        ("blocks:", "block:", "expected a known key, got 'block'; did you mean 'blocks'?"),
        ("    params:", "    skip: nothing\n    params:", "got 'nothing'"),
        ("b: bias_ih + bias_hh", "b: bias_ih", "bias_hh (20,) is left out"),
        (
            "b: bias_ih + bias_hh",
            "b: bias_ih + weight_ih",
            "expected one shape, got (20,), (20, 3)",
        ),
        ("b: bias_ih + bias_hh", "b: bias", "expected a parameter of ours among weight_ih"),
        ("b: bias_ih + bias_hh", "b: bias_ih[x]", "expected some of the row blocks i f g o"),
        ("b: bias_ih + bias_hh", "b: bias_ih[f i g] + bias_hh[f i g]", "(5 of its 20 numbers)"),
        ("{columns: [weight_ih, weight_hh]}", "[weight_ih, weight_hh]", "weight_ih (20, 3)"),
        ("    blocks:", "    axes: {z: a b}\n    blocks:", "expected one of ours among x, state"),
        (
            "    blocks:",
            "    axes: {x: b i -> b j}\n    blocks:",
            "axes of ours on the right, got j",
        ),
        (
            "    blocks:",
            "    axes: {x: b t i}\n    blocks:",
            "cannot adapt: case 'cell': x: expected",
        ),
        ("    blocks:", "    masks: {x: maybe}\n    blocks:", "'True ignores'"),
        ("    blocks:", "    call: [x]\n    blocks:", "it gives state, which `call` does not hand"),
        ("    blocks:", "    call: [x, stat]\n    blocks:", "expected an argument of ours among x"),
        ("    blocks:", "    init: [input_size]\n    blocks:", "it sets hidden_size, which `init`"),
        ("    blocks:", "    init: [input_size, hidden, hidden_size]\n    blocks:", "got 'hidden'"),
        (
            "    blocks:",
            "    returns: {output: 0}\n    blocks:",
            "expected one of h, c, got 'output'",
        ),
        ("    blocks:", "    arrays: numpy\n    call: [x, state, W, b]\n    blocks:", "`backward`"),
    ],
)
def test_an_adapter_that_makes_no_sense_is_refused_with_what_to_do(
    find: str, put: str, said: str, runner: Runner, tmp_path: Path
) -> None:
    assert GOOD.count(find) == 1
    path = tmp_path / "own.yaml"
    path.write_text(GOOD.replace(find, put))
    with pytest.raises(CourseError) as refused:
        _ = Marker(ROOT, "lstm", runner, adapter=path).standard
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_parameter_that_theirs_has_besides_is_said_with_both_names(
    runner: Runner, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(GOOD.replace("LSTMCell:", "LSTMCell:\n    name: Cell"))
    grade = Marker(ROOT, "lstm", runner, adapter=path).mark(handed_in("lstm/apart_two_biases.py"))
    assert grade.earned == 0
    said = " ".join(wrong(grade))
    assert "outcome.mismatch_names" in said
    assert "W (20, 8) (holds weight_ih, weight_hh)" in said and "x2h.weight" in said


def test_an_adapter_is_found_by_path_by_name_and_by_the_assignment(tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    folder.mkdir()
    assert find_adapter(tmp_path, None, "mha") is None
    (folder / "mha.yaml").write_text("")
    assert find_adapter(tmp_path, None, "mha") == folder / "mha.yaml"
    assert find_adapter(tmp_path, Path("mha"), "lstm") == folder / "mha.yaml"
    assert find_adapter(tmp_path, folder / "mha.yaml", "lstm") == folder / "mha.yaml"
    with pytest.raises(UsageError, match="expected an adapter, got nothing at other"):
        find_adapter(tmp_path, Path("other"), "mha")


def test_an_array_that_differs_along_an_axis_that_theirs_has_not_is_no_fit() -> None:
    how = layout("b h q k -> b k", "here")
    known = {"b": 2, "h": 3, "q": 4}
    keep = np.ones((2, 1, 1, 5), bool)
    assert to_theirs(keep, how, known, spread=True).shape == (2, 5)
    with pytest.raises(Unfit, match="differs along q"):
        to_theirs(np.tril(np.ones((4, 5), bool)), how, known, spread=True)


def test_a_layout_there_and_back_changes_nothing() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for text in ("a b c -> c a b", "a b c -> (b c) 1 a", "(x a) b c -> a (c x) b", "a b c"):
        how, known = layout(text, "here"), {"x": 1, "a": 2, "b": 3, "c": 4}
        assert np.array_equal(to_ours(to_theirs(array, how, known), how, known), array)


def test_an_expression_is_only_a_sum_over_known_names() -> None:
    assert value("d_model // n_heads", {"d_model": 12, "n_heads": 3}, "here") == 4
    assert value(["'relu'", 0.1, True, "-2 * a"], {"a": 3}, "here") == ["relu", 0.1, True, -6]
    for text in ("__import__('os')", "a.b", "a if a else b", "2 ** 9", "a[0]", "1 +"):
        with pytest.raises(CourseError):
            value(text, {"a": 3}, "here")
