"""Case -> Trial: what is drawn, from which seed, and what is no expression."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_entries import KEY, a_case, parameter

from grader.cases import (
    Key,
    base_trial,
    build_key,
    builds,
    describe_trials,
    draw_call,
    draw_weights,
    expressions,
    length,
    setting,
)
from grader.cases.kinds import KINDS, OPTIONS, Draw, parse
from grader.errors import CourseError
from grader.types import Build, Case, Expected, Optimizer, StoredLogits, Tolerance

QUICK = settings(deadline=None, max_examples=150)
FILES = {
    "d.npz": {
        "images": np.arange(40.0).reshape(10, 2, 2),
        "labels": np.arange(10),
        "few": np.arange(3),
    }
}


def draw(text: Any, sizes: dict[str, int] | None = None, key: Key = KEY, **more: Any) -> Any:
    """The array drawn for one expression."""
    return call({"x": text}, sizes, key, **more).args["x"]


def call(args: Any, sizes: dict[str, int] | None = None, key: Key = KEY, **more: Any) -> Any:
    number = more.pop("number", 0)
    return draw_call(a_case(args, sizes or {}, {}, **more), key, {}, FILES, number)


# -- expressions ------------------------------------------------------------------------------

AXES = st.lists(st.from_regex(r"[A-Za-z_]\w{0,5}|[1-9]", fullmatch=True), max_size=4)
SPACES = st.sampled_from(["", " ", "  "])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str, list[str], dict[str, str]]:
    kind, axes = draw(st.sampled_from([*KINDS, "same"])), draw(AXES)
    names = draw(st.lists(st.sampled_from(OPTIONS[kind]), unique=True)) if kind in OPTIONS else []
    options = {name: draw(st.from_regex(r"[\w.-]{1,6}", fullmatch=True)) for name in names}
    space = draw(SPACES)
    text = f"{space}{kind}({f',{space}'.join(axes)}"
    if options:
        text += ";" + f"{space},".join(f"{name}{space}={space}{it}" for name, it in options.items())
    return f"{text}){space}", kind, axes, options


@QUICK
@given(written())
def test_an_expression_is_read_as_it_was_written(made: Any) -> None:
    text, kind, axes, options = made
    parsed = parse(text, "here")
    assert (parsed.kind, parsed.axes, parsed.options) == (kind, tuple(axes), options)


@QUICK
@given(
    st.text(alphabet="normalB(),;=1 ²\n", max_size=20)
    | st.text(max_size=12).map("tokens({})".format)
)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        assert parse(text, "here").kind in (*KINDS, "same")
    except CourseError as error:
        assert str(error).startswith("expected ") and str(error).endswith("@ here")


@QUICK
@given(st.text(alphabet="B(),;=1 ²٣", max_size=5) | st.sampled_from(["high=²", "low=1", "pad=B"]))
def test_any_text_is_drawn_or_passed_on_or_refused(text: str) -> None:
    for wrapped in (text, f"normal({text})", f"tokens({text})", f"lengths(3; {text})"):
        try:
            value = draw(wrapped, {"B": 2})
        except CourseError:
            continue
        assert isinstance(value, np.ndarray) or value == wrapped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nromal(B)", "with a kind of normal, tokens"),
        ("normal(B; scale)", "expected option=value"),
        ("normal(B; scael=2)", "an option among scale, shift, got 'scael'"),
        ("causal(B, B; low=1)", "an option among none, got 'low'"),
        ("normal(B; scale=wide)", "could not convert"),
        ("normal(Q)", "an axis among B, got 'Q'"),
        ("normal(²)", "an axis among B, got '²'"),
        ("tokens(B; high=0)", "high <= 0"),
        ("tokens(B; pad=1)", "index out of range"),
        ("lengths()", "index out of range"),
        ("numbers(B, B)", "cannot reshape"),
        ("causal(B)", "not enough values"),
        ("rows(B; file=none.npz, column=labels)", "none.npz"),
        ("rows(B; file=d.npz, column=none)", "none"),
        ("rows(B; file=d.npz)", "column"),
        ("rows(B, 3, 2; file=d.npz, column=images)", "of shape (2, 2, 2), not (2, 3, 2)"),
        ("rows(4; file=d.npz, column=few)", "of shape (3,), not (4,)"),
        ("same(y)", "expected a drawn argument, got same(y)"),
        ("same()", "expected a drawn argument, got same()"),
        ("same(x)", "expected a drawn argument, got same(x)"),
        ({"array": [[1], [2, 3]]}, "setting an array element"),
        ({"array": ["a"]}, "expected numbers of one shape"),
        ({"array": [1.0, 2.0], "axes": "B, T"}, "of shape (2,), with axes B, T"),
        ({"array": [1], "dtype": "float99"}, "float99"),
        ({"optimizer": "SGD"}, "'of'"),
        ({"stored_logits": {"rows": 1}}, "vocabulary"),
        ({"bulid": "f"}, "expected array, build, optimizer or stored_logits, got ['bulid']"),
    ],
)  # fmt: skip
def test_what_can_not_be_drawn_is_refused_with_case_and_argument(text: Any, said: str) -> None:
    with pytest.raises(CourseError, match="@ case drawn") as raised:
        draw(text, {"B": 2})
    assert said in str(raised.value)


def test_the_same_argument_is_the_same_numbers_however_long_the_chain() -> None:
    args = {"value": "same(key)", "key": "same(query)", "query": "normal(B, D)", "s": ["same(key)"]}
    drawn = call(args, {"B": 2, "D": 3}).arrays()
    assert all(np.array_equal(drawn["query"], drawn[name]) for name in ("value", "key", "s[0]"))
    axes = {path: each.axes for path, each in expressions(a_case(args, {}, {})).items()}
    assert axes == dict.fromkeys(["value", "key", "query", "s[0]"], ("B", "D"))


def test_a_circle_of_the_same_is_refused() -> None:
    with pytest.raises(CourseError, match="expected a drawn argument"):
        call({"a": "same(b)", "b": "same(a)"})


def test_a_length_is_a_number_or_a_size_or_of_the_config() -> None:
    case = a_case({}, {"B": 2}, {}, config={"d_model": 8, "bias": True, "B": 5})
    assert [length(axis, case) for axis in ("7", "B", "d_model")] == [7, 2, 8]
    with pytest.raises(CourseError, match="add it to sizes"):
        length("bias", case)


# -- kinds ------------------------------------------------------------------------------------

SMALL = st.integers(1, 6)


@QUICK
@given(SMALL, SMALL, st.text(max_size=3))
def test_lengths_begin_full_and_are_as_unequal_as_can_be(
    count: int, longest: int, secret: str
) -> None:
    key = Key(secret=secret, assignment="a")
    lengths = draw(f"lengths({count}; high={longest})", key=key)
    assert lengths.shape == (count,) and lengths.dtype == np.int64
    assert lengths[0] == longest and lengths.min() >= 1 and lengths.max() <= longest
    rest = lengths[1:].tolist()
    assert longest == 1 or len(set(rest)) == min(len(rest), longest - 1)
    assert longest == 1 or longest not in rest


@QUICK
@given(SMALL, SMALL, st.text(max_size=3))
def test_tokens_are_in_range_with_padding_at_the_end_only(rows: int, long: int, secret: str):
    key = Key(secret=secret, assignment="a")
    tokens = draw(f"tokens({rows}, {long}; low=3, high=7, first=1, pad=0)", key=key)
    assert tokens.shape == (rows, long) and tokens.dtype == np.int64
    assert (tokens[:, 0] == 1).all()
    assert set(tokens[:, 1:].ravel().tolist()) <= {0, 3, 4, 5, 6}
    for row in tokens:
        assert (row[np.argmax(row == 0) :] == 0).all() or (row != 0).all()
    assert (tokens[0] != 0).all()


@QUICK
@given(SMALL, SMALL, SMALL, st.text(max_size=3))
def test_masks_are_what_they_are_called(b: int, q: int, k: int, secret: str) -> None:
    key = Key(secret=secret, assignment="a")
    masks = {
        kind: draw(f"{kind}({b}, 1, {q}, {k})", key=key)
        for kind in ("causal", "padding", "causal_padding", "random_mask")
    }
    for mask in masks.values():
        assert mask.shape == (b, 1, q, k) and mask.dtype == bool
        assert mask.any(-1).all()
    assert np.array_equal(masks["causal"][0, 0], np.tril(np.ones((q, k), dtype=bool)))
    padding = masks["padding"]
    assert (padding[:, 0, 0][:, ::-1].cumsum(-1) > 0)[:, ::-1].tolist() == padding[:, 0, 0].tolist()
    assert (padding == padding[:, :, :1]).all() and padding[0].all()
    assert np.array_equal(masks["causal_padding"], masks["causal"] & padding)


@QUICK
@given(SMALL, SMALL, st.integers(0, 40), st.text(max_size=3))
def test_a_random_mask_has_just_as_many_empty_rows_as_asked(b: int, k: int, empty: int, it: str):
    key = Key(secret=it, assignment="a")
    mask = draw(f"random_mask({b}, 3, {k}; empty={empty})", key=key)
    assert (~mask.any(-1)).sum() == min(empty, 3 * b)
    assert draw(f"random_mask({b}, 3, {k}; keep=1)", key=key).all()
    assert draw(f"random_mask({b}, 3, {k}; keep=0)", key=key).sum() == 3 * b


def test_uniform_numbers_lie_between_their_bounds() -> None:
    drawn = draw("uniform(50, 40; low=0.5, high=2)")
    assert 0.5 <= drawn.min() < 0.51 and 1.99 < drawn.max() < 2


def test_log_probabilities_add_up_to_one_along_the_last_axis() -> None:
    drawn = draw("log_probabilities(5, 4; scale=9)")
    np.testing.assert_allclose(np.exp(drawn).sum(axis=-1), 1)
    assert drawn.min() < -9


def test_normal_numbers_are_scaled_and_shifted() -> None:
    plain = draw("normal(50, 40)")
    assert plain.dtype == np.float64 and abs(plain.mean()) < 0.1 and abs(plain.std() - 1) < 0.1
    np.testing.assert_allclose(draw("normal(50, 40; scale=3, shift=-2)"), 3 * plain - 2)


def test_a_distribution_is_positive_and_sums_to_one_along_the_last_axis() -> None:
    drawn = draw("distribution(4, 3, 5)")
    assert drawn.shape == (4, 3, 5) and (drawn > 0).all()
    np.testing.assert_allclose(drawn.sum(axis=-1), np.ones((4, 3)))


def test_a_single_number_is_an_array_too() -> None:
    drawn = call({"x": "normal()"}).arrays()["x"]
    assert isinstance(drawn, np.ndarray) and drawn.shape == ()


def test_numbers_count_from_zero() -> None:
    assert draw("numbers(4)").tolist() == [0, 1, 2, 3]
    assert draw("numbers(4, 1)").tolist() == [[0], [1], [2], [3]]


def test_rows_of_one_file_belong_together_and_do_not_repeat() -> None:
    args = {
        "images": "rows(B, 2, 2; file=d.npz, column=images)",
        "labels": "rows(B; file=d.npz, column=labels)",
    }
    drawn = call(args, {"B": 6}).args
    assert drawn["images"][:, 0, 0].tolist() == (4.0 * drawn["labels"]).tolist()
    assert len(set(drawn["labels"].tolist())) == 6


def test_padding_of_several_arguments_agrees() -> None:
    tokens = "tokens(B, T; low=1, high=5, pad=0)"
    args = {"x": tokens, "mask": "padding(B, 1, T)", "n": "lengths(B; high=4)"}
    drawn = call(args, {"B": 4, "T": 4}).args
    assert ((drawn["x"] != 0) == drawn["mask"][:, 0]).all()
    assert (drawn["x"] != 0).sum(1).tolist() == drawn["n"].tolist()


def test_every_kind_is_exercised_here() -> None:
    empty = Draw(
        shape=(0, 2), options={}, generator=KEY.generator(a_case({}, {}, {})),
        shared=KEY.generator(a_case({}, {}, {})), files={},
    )  # fmt: skip
    for kind in (
        "normal",
        "distribution",
        "uniform",
        "log_probabilities",
        "tokens",
        "lengths",
        "causal",
        "padding",
        "causal_padding",
    ):
        assert KINDS[kind](empty).shape[0] == 0
    assert set(KINDS) - {"numbers", "rows", "random_mask"} == {
        "normal", "distribution", "uniform", "log_probabilities", "tokens", "lengths", "causal",
        "padding", "causal_padding",
    }  # fmt: skip
    assert set(OPTIONS) <= set(KINDS)


# -- seeds ------------------------------------------------------------------------------------

KEPT = (
    "normal(2, 3)",
    "distribution(2, 3)",
    "tokens(4, 5; high=90, pad=0)",
    "random_mask(4, 6)",
    "lengths(6; high=9)",
)


@QUICK
@given(st.text(max_size=4), st.text(max_size=4))
def test_the_same_key_gives_the_same_and_another_secret_other_numbers(a: str, b: str) -> None:
    one, other = Key(secret=a, assignment="x"), Key(secret=b, assignment="x")
    for show in ("public", "hidden"):
        left, right = (draw("normal(3)", key=key, show=show) for key in (one, other))
        assert np.array_equal(left, draw("normal(3)", key=one, show=show))
        assert np.array_equal(left, right) == (show == "public" or a == b)


@pytest.mark.parametrize("text", KEPT)
def test_every_kind_depends_on_secret_case_call_and_assignment(text: str) -> None:
    there = draw(text)
    assert np.array_equal(there, draw(text))
    for other in (
        draw(text, key=Key(secret="other", assignment="tests")),
        draw(text, key=Key(secret="secret", assignment="other")),
        draw(text, id="other"),
        draw(text, number=1),
    ):
        assert not np.array_equal(there, other)


def test_two_arguments_are_not_alike() -> None:
    drawn = call({"a": "normal(3)", "b": "normal(3)", "c": ["normal(3)"]}).arrays()
    assert len({array.tobytes() for array in drawn.values()}) == 3


def test_numbers_that_were_drawn_once_are_drawn_for_ever() -> None:
    """A released bundle holds no inputs: another version has to draw the same ones."""
    case = a_case({"x": "normal(2)"}, {}, {}, id="fixed", show="public")
    key = Key(secret="whatever", assignment="fixed")
    drawn = draw_call(case, key, {}, {}).args["x"]
    np.testing.assert_allclose(drawn, [1.5375438219662274, -0.500367573059822], rtol=1e-12)
    assert key.seed(case) == 1450616828


# -- trials -----------------------------------------------------------------------------------


def test_weights_are_drawn_for_every_parameter_and_none_is_near_zero() -> None:
    parameters = (parameter("w", 40, 50), parameter("b", 60), parameter("s"))
    weights = draw_weights(parameters, KEY.generator(a_case({}, {}, {})), 2.0)
    assert [(name, array.shape) for name, array in weights.items()] == [
        ("w", (40, 50)),
        ("b", (60,)),
        ("s", ()),
    ]
    assert weights["w"].std() == pytest.approx(2 / np.sqrt(50), rel=0.1)
    assert (abs(weights["b"]) >= 0.5).all() and (abs(weights["b"]) <= 1.5).all()
    assert len(set(weights["b"].tolist())) == 60 and {-1.0, 1.0} == set(np.sign(weights["b"]))


def a_class() -> Case:
    model = {"build": "Inner", "config": {"n": 3}, "mode": "train", "frozen": ["w"]}
    args = {"x": "normal(B)", "model": model, "optimizer": {"optimizer": "SGD", "of": "model"}}
    return a_case(args, {"B": 2}, {}, config={"n": 2}, calls=2, mode="train")


def test_a_base_trial_holds_weights_mode_seed_and_every_call() -> None:
    described = {
        build_key("Entry", {"n": 2}): (parameter("v", 2),),
        build_key("Inner", {"n": 3}): (parameter("w", 3, 3),),
    }
    trial = base_trial(a_class(), KEY, described, {})
    assert (trial.case, trial.variant, trial.mode) == ("drawn", "base", "train")
    assert trial.weights is not None and trial.weights["v"].shape == (2,)
    first, second = trial.calls
    assert not np.array_equal(first.args["x"], second.args["x"])
    model, optimizer = first.args["model"], first.args["optimizer"]
    assert isinstance(model, Build) and isinstance(optimizer, Optimizer)
    assert (model.mode, model.frozen, optimizer.of) == ("train", ("w",), "model")
    assert model.weights is not None and model.weights["w"].shape == (3, 3)
    assert 0 <= trial.seed < 2**31


def test_every_class_that_is_built_is_described_once() -> None:
    assert list(builds(a_class())) == [("Entry", {"n": 2}), ("Inner", {"n": 3})]
    asked = describe_trials((a_class(), a_class()))
    assert [(trial.entry, trial.probe) for trial in asked.values()] == [
        ("Entry", "describe"),
        ("Inner", "describe"),
    ]
    assert build_key("A", {"x": 1, "y": 2}) == build_key("A", {"y": 2, "x": 1})


def test_stored_logits_lead_along_their_paths() -> None:
    option = {"paths": [[4, 2], [3, 3, 2]], "start": 1, "vocabulary": 5, "length": 4, "pad": 1}
    made = draw({"stored_logits": option})
    assert isinstance(made, StoredLogits) and made.table.shape == (2, 4, 5, 5) and made.pad == 1
    for row, path in enumerate(option["paths"]):
        token = 1
        for step, wanted in enumerate(path):
            token = int(made.table[row, step, token].argmax())
            assert token == wanted


def test_literals_pass_and_arrays_are_tiled() -> None:
    args = {
        "a": 3,
        "b": None,
        "c": "text",
        "d": {"array": [[1, 2]], "tile": [2, 1]},
        "e": [1, True],
    }
    drawn = call(args).args
    assert (drawn["a"], drawn["b"], drawn["c"], drawn["e"]) == (3, None, "text", (1, True))
    assert drawn["d"].tolist() == [[1, 2], [1, 2]]


def test_a_setting_knows_axes_and_what_tokens_mean() -> None:
    args = {
        "x": "tokens(B, T; low=3, high=9, pad=1)",
        "n": "tokens(B; high=4)",
        "s": ["normal(B, 2)"],
        "w": {"array": [[1.0]], "axes": "B, D"},
    }
    case = a_case(args, {"B": 2, "T": 3}, {})
    made = setting(case, base_trial(case, KEY, {}, {}), Expected(leaves=()), Tolerance(), KEY)
    assert made.axes == {"x": ("B", "T"), "n": ("B",), "s[0]": ("B", "2"), "w": ("B", "D")}
    tokens = {path: (each.low, each.high, each.pad) for path, each in made.tokens.items()}
    assert tokens == {"x": (3, 9, 1), "n": (0, 4, None)}
