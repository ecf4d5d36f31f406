"""What a right answer is: from the reference, and from a released bundle."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_course import REFERENCE, RUBRIC, make_course

from grader.assignment import assignment_names, read_assignment
from grader.cases import Key
from grader.checks import judge, plan
from grader.checks.gradients import cotangents
from grader.errors import CourseError, EngineError
from grader.expected import (
    Standard,
    from_bundle,
    from_reference,
    public_rubric,
    to_bundle,
    top_level,
)
from grader.mistakes import ToldPrints
from grader.sandbox.runner import Runner
from grader.types import Job, Outcome, RawOutput, Verdict

COURSE = Path(__file__).parents[1]
UNTOLD = ToldPrints(prints={}, noticed=[])


def course(folder: Path, reference: str = REFERENCE, rubric: str = RUBRIC) -> Path:
    made = make_course(folder / "course")
    (made / "reference" / "tiny.py").write_text(reference)
    (made / "rubrics" / "tiny.yaml").write_text(rubric, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def standard(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Standard:
    folder = course(tmp_path_factory.mktemp("made"))
    return from_reference(read_assignment(folder, "tiny"), runner.run, "the secret")


@pytest.fixture(scope="module")
def bundle(standard: Standard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(
        tmp_path_factory.mktemp("bundle"),
        *to_bundle(standard, "# work here\n", UNTOLD),
    )


def write(folder: Path, text: str, packed: bytes) -> Path:
    (folder / "public.json").write_text(text, encoding="utf-8")
    (folder / "public.npz").write_bytes(packed)
    return folder


# -- from the reference -----------------------------------------------------------------------


@pytest.mark.parametrize("case", ["seen", "unseen"])
def test_what_is_expected_is_what_the_reference_returns(standard: Standard, case: str) -> None:
    ready = standard.settings[case]
    ((leaf,),) = ready.expected.leaves
    assert (leaf.kind, leaf.dtype, leaf.path) == ("tensor", "float64", "")
    np.testing.assert_array_equal(leaf.array, 2 * ready.base.calls[0].args["x"])
    assert ready.expected.parameters == () and ready.expected.gradients == {}


@pytest.mark.parametrize(("case", "size"), [("scale", 3), ("scale-unseen", 4)])
def test_gradients_are_those_worked_out_by_hand(standard: Standard, case: str, size: int) -> None:
    ready = standard.settings[case]
    x, factor = ready.base.calls[0].args["x"], ready.base.weights["factor"]  # type: ignore[index]
    (upstream,) = cotangents(ready)
    np.testing.assert_allclose(ready.expected.leaves[0][0].array, x * factor, rtol=1e-15)
    assert set(ready.expected.gradients) == {"x", "factor"}
    np.testing.assert_allclose(ready.expected.gradients["x"], upstream * factor, rtol=1e-14)
    got = ready.expected.gradients["factor"]
    np.testing.assert_allclose(got, (upstream * x).sum(0), rtol=1e-12)
    (parameter,) = ready.expected.parameters
    assert (parameter.name, parameter.shape, parameter.trainable) == ("factor", (size,), True)


def test_the_reference_passes_its_own_checks(standard: Standard, runner: Runner) -> None:
    job = Job(source=REFERENCE, modules={}, trials=standard.trials)
    outputs = zip(standard.trials, runner.run(job), strict=True)
    answers = {(trial.case, trial.variant): output for trial, output in outputs}
    found = judge(standard.rubric, standard.settings, answers)
    assert {each.verdict for seen in found.values() for each in seen} == {Verdict.PASS}
    assert [len(found[name]) for name in ("shape", "value", "scale")] == [2, 4, 6]


def test_another_secret_changes_hidden_cases_only(
    standard: Standard, runner: Runner, tmp_path: Path
) -> None:
    other = from_reference(read_assignment(course(tmp_path), "tiny"), runner.run, "another")
    for case, ready in standard.settings.items():
        there = other.settings[case].base.calls[0].args["x"]
        same = np.array_equal(ready.base.calls[0].args["x"], there)
        assert same == (ready.case.show == "public")


def test_the_names_asked_for_are_the_entries_classes_and_what_is_built() -> None:
    for name, wanted in [
        ("lstm", ("LSTMCell", "LSTM", "RowClassifier", "count_parameters", "train")),
        ("transformer", ("positional_encoding", "FeedForward", "EncoderLayer", "DecoderLayer")),
    ]:
        names = top_level(read_assignment(COURSE, name).rubric)
        assert names[: len(wanted)] == wanted
        assert not any("." in each or each == "torch" for each in names)


BAD_REFERENCES = {
    "return x * 2": [
        ("raise ValueError('no')", r"case 'seen', got raised: ValueError: no \(line 17\)"),
        ("return undefined", r"case 'seen', got raised: NameError: .*\(line 17\)"),
        ("return x, x", r"values with \[2\] axes, as `returns` says, got \[2, 2\].*case seen"),
        ("return x.sum(1)", r"got \[1\] from the reference @ case seen"),
        ("while True: pass", "case 'seen', got timeout"),
    ],
    "def double": [("def triple", "got missing: .*'entry': 'double'")],
    "x * self.factor": [
        ("(x * self.factor).detach()", "a gradient in case 'scale'"),
        ("x + missing", "case 'scale', got raised: NameError"),
    ],
    "torch.ones(size)": [("torch.ones(size / 0)", "case 'scale', got raised: ZeroDivision")],
}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [(old, new, said) for old, edits in BAD_REFERENCES.items() for new, said in edits],
)
def test_a_reference_that_fails_is_named_with_case_and_line(
    runner: Runner, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert REFERENCE.count(old) == 1
    made = course(tmp_path, REFERENCE.replace(old, new))
    with pytest.raises(CourseError, match=said):
        from_reference(read_assignment(made, "tiny"), runner.run, "s")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[close, pure]", "[close, alone: {axis: T}]", "got none for alone of value"),
        ("[close, pure]", "[close, alone]", "the option 'axis', got none @ case seen"),
        ("normal(B, N)", "normal(B, M)", "an axis among B, N, got 'M'"),
        ("normal(B, size)", "normal(B, size; high=2)", "an option among scale, shift"),
    ],
)
def test_a_rubric_that_makes_no_sense_is_refused_before_anyone_is_graded(
    runner: Runner, tmp_path: Path, old: str, new: str, said: str
) -> None:
    made = course(tmp_path, rubric=RUBRIC.replace(old, new))
    with pytest.raises(CourseError, match=said):
        from_reference(read_assignment(made, "tiny"), runner.run, "s")


def test_a_reference_that_could_not_be_run_is_our_fault(tmp_path: Path) -> None:
    def broken(job: Job) -> tuple[RawOutput, ...]:
        output = RawOutput(outcome=Outcome.BROKEN, facts={"reason": "no zygote"})
        return (output,) * len(job.trials)

    with pytest.raises(EngineError, match="no zygote"):
        from_reference(read_assignment(course(tmp_path), "tiny"), broken, "s")


# -- the bundle -------------------------------------------------------------------------------


def assert_same(left: Any, right: Any) -> None:
    """Equal, arrays included, to the last bit."""
    if dataclasses.is_dataclass(left):
        assert type(left) is type(right)
        for field in dataclasses.fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, Mapping):
        assert list(left) == list(right)
        for key, value in left.items():
            assert_same(value, right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


def test_a_bundle_asks_what_the_public_part_of_the_reference_asks(
    standard: Standard, bundle: Path
) -> None:
    read = from_bundle(bundle)
    rubric = public_rubric(standard.rubric)
    public = {case: standard.settings[case] for case in ("seen", "scale")}
    assert_same(read.standard.rubric, rubric)
    assert_same(read.standard.settings, public)
    assert_same(read.standard.trials, plan(rubric, public))
    assert (read.skeleton, read.points) == (b"# work here\n", "13/2")


def test_a_released_rubric_keeps_needs_and_drops_what_looks_at_hidden_cases(
    standard: Standard,
) -> None:
    rubric = public_rubric(standard.rubric)
    kept = [(each.id, each.over, each.needs) for each in rubric.criteria]
    assert kept == [
        ("shape", ("seen",), ()),
        ("value", ("seen",), ("shape",)),
        ("scale", ("scale",), ()),
    ]


def test_the_points_of_a_bundle_are_all_but_the_extra_ones(standard: Standard) -> None:
    extra = [
        dataclasses.replace(each, bonus=each.id == "scale") for each in standard.rubric.criteria
    ]
    rubric = dataclasses.replace(standard.rubric, criteria=tuple(extra))
    text, _ = to_bundle(dataclasses.replace(standard, rubric=rubric), "", UNTOLD)
    assert json.loads(text)["points"] == "7/2"


def arrays_of(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif dataclasses.is_dataclass(value):
        yield from arrays_of([getattr(value, each.name) for each in dataclasses.fields(value)])
    elif isinstance(value, Mapping):
        yield from arrays_of(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from arrays_of(item)


def test_a_bundle_holds_nothing_of_hidden_cases(standard: Standard) -> None:
    text, packed = to_bundle(standard, "", UNTOLD)
    with np.load(io.BytesIO(packed)) as stored:
        names, arrays = list(stored.files), [stored[name] for name in stored.files]
    told = {value for array in arrays for value in array.ravel().tolist()}
    assert len(told) == 2 * 3 + 2 * 3 + 2 * 3 + 3
    hidden = [ready for ready in standard.settings.values() if ready.case.show == "hidden"]
    assert len(hidden) == 2
    for ready in hidden:
        assert ready.case.id not in text and not any(ready.case.id in name for name in names)
        assert str(ready.seed) not in text and str(ready.base.seed) not in text
        secrets = [value for array in arrays_of(ready) for value in array.ravel().tolist()]
        assert len(secrets) >= 40
        assert told.isdisjoint(secrets)
        assert not any(repr(value) in text for value in secrets)
    assert "the secret" not in text
    tree = json.loads(text)
    assert [json.loads(key) for key in tree["described"]] == [
        ["double", {}],
        ["Scale", {"size": 3}],
    ]
    assert tree.keys() == {
        "format", "points", "skeleton", "rubric", "described", "leaves", "mistakes",
    }  # fmt: skip


@pytest.mark.parametrize("name", assignment_names(COURSE))
def test_the_bundles_of_this_course_are_read_and_hold_no_hidden_case(name: str) -> None:
    folder, rubric = COURSE / "assignments" / name, read_assignment(COURSE, name).rubric
    read = from_bundle(folder).standard
    assert_same(read.rubric, public_rubric(rubric))
    text = (folder / "public.json").read_text(encoding="utf-8")
    with np.load(folder / "public.npz") as stored:
        cases = {name.partition("/")[0] for name in stored.files}
    assert (
        cases <= set(read.settings) == {case.id for case in rubric.cases if case.show == "public"}
    )
    for case in rubric.cases:
        assert case.show == "public" or f'"{case.id}"' not in text
    assert {case.show for case in read.rubric.cases} == {"public"}
    assert all(Key(secret="public", assignment=name).seed(ready.case) == ready.base.seed
               for ready in read.settings.values())  # fmt: skip


# -- damage -----------------------------------------------------------------------------------

Edit = Callable[[dict[str, Any]], Any]
DAMAGES: dict[str, Edit] = {
    "another format": lambda tree: tree.update(format=1),
    "no format": lambda tree: tree.pop("format"),
    "no rubric": lambda tree: tree.pop("rubric"),
    "a rubric of another kind": lambda tree: tree.update(rubric=[]),
    "a criterion without points": lambda tree: tree["rubric"]["criteria"][0].pop("points"),
    "an unknown check": lambda tree: tree["rubric"]["criteria"][0].update(checks=["x"]),
    "an unknown option": lambda tree: tree["rubric"]["criteria"][0].update(
        checks=[{"shape": {"x": 1}}]
    ),
    "an input of no kind": lambda tree: tree["rubric"]["cases"][0].update(args={"x": "no(B)"}),
    "an axis without length": lambda tree: tree["rubric"]["cases"][0].update(sizes={}),
    "no parameters": lambda tree: tree.update(described={}),
    "parameters of another kind": lambda tree: tree.update(described={"a": 3}),
    "no leaves": lambda tree: tree.update(leaves={}),
    "a leaf cut short": lambda tree: tree["leaves"]["seen"][0][0].pop(),
    "a leaf of another kind": lambda tree: tree["leaves"]["seen"][0][0].__setitem__(1, "cake"),
    "a leaf without its array": lambda tree: tree["leaves"]["seen"][0].append(
        ["[1]", "tensor", "float64", ""]
    ),
    "a skeleton that is no text": lambda tree: tree.update(skeleton=3),
    "points that are no text": lambda tree: tree.update(points=3),
    "a format that is no number": lambda tree: tree.update(format="2"),
    "no mistakes": lambda tree: tree.pop("mistakes"),
    "mistakes of another kind": lambda tree: tree.update(mistakes={"prints": 3, "noticed": []}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_the_courses_fault_and_says_which_file(
    bundle: Path, tmp_path: Path, damage: str
) -> None:
    tree = json.loads((bundle / "public.json").read_text(encoding="utf-8"))
    DAMAGES[damage](tree)
    write(tmp_path, json.dumps(tree), (bundle / "public.npz").read_bytes())
    with pytest.raises(CourseError, match="expected "):
        from_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "\x00", '{"format": 1}'])
def test_a_bundle_that_is_no_bundle_is_refused_with_what_to_do(
    bundle: Path, tmp_path: Path, text: str
) -> None:
    write(tmp_path, text, (bundle / "public.npz").read_bytes())
    with pytest.raises(CourseError, match="fetch the assignment's folder again") as raised:
        from_bundle(tmp_path)
    assert str(tmp_path / "public.json") in str(raised.value)


def test_arrays_that_can_not_be_read_are_refused(bundle: Path, tmp_path: Path) -> None:
    text, packed = (bundle / "public.json").read_text(), (bundle / "public.npz").read_bytes()
    objects = io.BytesIO()
    np.savez(objects, x=np.array([{}], dtype=object))
    single = io.BytesIO()
    np.save(single, np.ones(3))
    for damaged in (b"", b"PK", packed[:-30], packed[:100], objects.getvalue(), single.getvalue()):
        write(tmp_path, text, damaged)
        with pytest.raises(CourseError, match=r"expected the public cases .* fetch"):
            from_bundle(tmp_path)
    for name in ("public.npz", "public.json"):
        (tmp_path / name).unlink()
        with pytest.raises(CourseError, match="No such file"):
            from_bundle(tmp_path)


@settings(deadline=None, max_examples=300, suppress_health_check=[*HealthCheck])
@given(st.sampled_from(["public.json", "public.npz"]), st.floats(0, 1), st.integers(0, 255))
def test_a_byte_that_fell_over_gives_a_bundle_or_a_refusal(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, name: str, where: float, byte: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for each in ("public.json", "public.npz"):
        content = bytearray((bundle / each).read_bytes())
        if each == name:
            content[min(int(where * len(content)), len(content) - 1)] = byte
        (folder / each).write_bytes(content)
    try:
        from_bundle(folder)
    except CourseError as error:
        assert str(error).startswith("expected ")
