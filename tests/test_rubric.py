"""YAML -> Rubric: what is understood, and how everything else is refused."""

import copy
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.checks import CHECKS
from grader.errors import CourseError
from grader.expected import public_rubric
from grader.rubric import KNOWN_KEYS, RUBRIC, parse_rubric, read_rubric
from grader.types import CheckUse, Rubric

COURSE = Path(__file__).parents[1]
NAMES = tuple(CHECKS)
WORDS = {"en": "words", "ko": "말"}
TREE: dict[str, Any] = {
    "assignment": "tiny",
    "title": WORDS,
    "cases": [
        {"id": "seen", "entry": "f", "show": "public", "args": {"x": "normal(B)"},
         "sizes": {"B": 2}},
        {"id": "unseen", "entry": "f", "show": "hidden", "args": {"x": "normal(3)"}},
        {"id": "other", "entry": "g", "show": "hidden"},
    ],
    "criteria": [
        {"id": "value", "entry": "f", "points": 1, "title": WORDS, "checks": ["close"]},
        {"id": "order", "entry": "g", "points": 2, "title": WORDS, "checks": ["shape"],
         "needs": ["value"], "over": ["other"]},
        {"id": "style", "points": 1, "title": WORDS, "manual": {1: WORDS, 0.5: WORDS, 0: WORDS}},
    ],
}  # fmt: skip


def parse(tree: Any) -> Rubric:
    return parse_rubric(tree, "rubrics/tiny.yaml", NAMES)


def changed(path: str, value: Any, whole: dict[str, Any] = TREE) -> dict[str, Any]:
    """A tree with the value at a path such as "criteria.0.points" replaced, or left out by ..."""
    tree = copy.deepcopy(whole)
    *heads, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = tree
    for head in heads:
        inner = inner[head]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return tree


def refusal(tree: Any) -> list[str]:
    with pytest.raises(CourseError) as raised:
        parse(tree)
    return str(raised.value).split("\n")


def read(folder: Path, text: str | bytes) -> Rubric:
    path = folder / "tiny.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_rubric(path, NAMES)


# -- what is understood -----------------------------------------------------------------------


def test_a_rubric_reads_as_it_is_written() -> None:
    rubric = parse(TREE)
    assert rubric.entries == ("f", "g")
    assert [case.id for case in rubric.cases_over(rubric.criteria[0])] == ["seen", "unseen"]
    assert [case.id for case in rubric.cases_over(rubric.criteria[1])] == ["other"]
    assert list(rubric.criteria[2].manual) == [1, Fraction(1, 2), 0]
    assert (rubric.limits.seconds, rubric.tolerance.rtol, rubric.load) == (20.0, 1e-7, "needed")


@pytest.mark.parametrize("name", ["lstm", "mha", "transformer"])
def test_the_rubrics_of_this_course_are_read(name: str) -> None:
    path = COURSE / "rubrics" / f"{name}.yaml"
    assert read_rubric(path, NAMES).assignment == name


def test_a_check_is_a_name_or_a_name_with_options_or_spelled_out() -> None:
    checks = ["close", {"causal": {"axis": "T"}}, {"name": "close", "options": {"rtol": 1}}]
    rubric = parse(changed("criteria.0.checks", checks))
    assert rubric.criteria[0].checks == (
        CheckUse(name="close"),
        CheckUse(name="causal", options={"axis": "T"}),
        CheckUse(name="close", options={"rtol": 1}),
    )


def test_one_list_of_forbidden_api_is_for_every_entry() -> None:
    assert parse(TREE | {"forbidden": ["torch.nn.LSTM"]}).forbidden == {"*": ("torch.nn.LSTM",)}
    assert parse(TREE | {"forbidden": {"f": ["a"]}}).forbidden == {"f": ("a",)}


@pytest.mark.parametrize(
    ("written", "points"),
    [("0.1", "1/10"), ("1", "1"), ("'1/3'", "1/3"), ("2.50", "5/2"), ("'0.7'", "7/10"), ("+2", 2)],
)
def test_points_are_the_fraction_that_was_written(
    tmp_path: Path, written: str, points: Any
) -> None:
    text = f"""
assignment: tiny
title: &words {{en: a, ko: b}}
cases: [{{id: c, entry: f, show: hidden}}]
criteria: [{{id: v, entry: f, points: {written}, title: *words, checks: [close]}}]
"""
    assert read(tmp_path, text).criteria[0].points == Fraction(points)


def test_anchors_and_merged_keys_are_read_and_an_override_is_no_duplicate(tmp_path: Path) -> None:
    text = """
assignment: tiny
title: &words {en: a, ko: b}
cases:
  - &first {id: a, entry: f, show: hidden, gain: 1.5}
  - &second {<<: *first, id: b, gain: 2.5}
  - {<<: *second, id: c}
  - {<<: [*second, *first], id: d}
criteria: [{id: v, entry: f, points: 1, title: *words, checks: [close]}]
"""
    cases = read(tmp_path, text).cases
    assert [case.id for case in cases] == ["a", "b", "c", "d"]
    assert [case.gain for case in cases] == [1.5, 2.5, 2.5, 2.5]
    assert {case.show for case in cases} == {"hidden"}


EDIT = {"in": "f", "find": "a", "put": "b"}
PATCH = {"edits": [EDIT], "symptom": WORDS, "hint": WORDS, "source": "here"}
PATCHED: dict[str, Any] = {
    **TREE,
    "misconceptions": [
        {**copy.deepcopy(PATCH), "id": "one", "twins": ["two"]},
        {**copy.deepcopy(PATCH), "id": "two", "twins": ["one"], "why": "so"},
    ],
    "variants": [{"id": "other", "edits": [dict(EDIT)], "earns": {"value": 0.1}, "note": WORDS}],
    "harmless": [{"id": "same", "edits": [dict(EDIT)], "why": "equal"}],
    "by_check": {"state kept between calls": "pure"},
    "show_hints": "after_due",
}


def test_patches_of_the_reference_are_read() -> None:
    rubric = parse(PATCHED)
    assert [each.id for each in rubric.patches] == ["one", "two", "other", "same"]
    (edit,) = rubric.misconceptions[0].edits
    assert (edit.scope, edit.find, edit.put) == ("f", "a", "b")
    assert rubric.misconceptions[1].twins == ("one",)
    assert rubric.variants[0].earns == {"value": Fraction(1, 10)}
    assert (rubric.by_check, rubric.show_hints) == (
        {"state kept between calls": "pure"},
        "after_due",
    )
    assert parse(TREE).patches == () and parse(TREE).show_hints == "always"


def test_a_patched_rubric_reads_the_same_once_written() -> None:
    rubric = parse(PATCHED)
    assert parse(RUBRIC.dump_python(rubric)) == rubric


# -- what is refused --------------------------------------------------------------------------

WRONG: list[tuple[str, Any, str, str]] = [
    ("cases", ..., "the key 'cases', got none", "$.cases"),
    ("criteria.0.points", ..., "the key 'points', got none", "$.criteria[0].points"),
    ("cases.0.show", ..., "the key 'show', got none", "$.cases[0].show"),
    ("title.ko", ..., "the key 'ko', got none", "$.title.ko"),
    ("cases.0.shwo", "public", "got 'shwo'; did you mean 'show'?", "$.cases[0].shwo"),
    ("criteria.0.pionts", 1, "got 'pionts'; did you mean 'points'?", "$.criteria[0].pionts"),
    ("critria", [], "got 'critria'; did you mean 'criteria'?", "$.critria"),
    ("limits", {"second": 1}, "did you mean 'seconds'?", "$.limits.second"),
    ("cases.0.show", "hiden", "'public' or 'hidden', got 'hiden'", "$.cases[0].show"),
    ("criteria.0.checks", ["clsoe"], "did you mean 'close'?", "$.criteria[0].checks"),
    ("criteria.0.over", ["sene"], "did you mean 'seen'?", "$.criteria[0].over"),
    ("criteria.0.over", ["other"], "one of seen, unseen, got 'other'", "$.criteria[0].over"),
    ("criteria.1.needs", ["valeu"], "did you mean 'value'?", "$.criteria[1].needs"),
    ("criteria.0.needs", ["order"], "one of none, got 'order'", "$.criteria[0].needs"),
    ("criteria.0.needs", ["value"], "one of none, got 'value'", "$.criteria[0].needs"),
    ("criteria.0.entry", "h", "one of f, g, got 'h'", "$.criteria[0].entry"),
    ("criteria.0.checks", [], "either checks or manual levels", "$.criteria[0]"),
    ("criteria.2.checks", ["close"], "either checks or manual levels", "$.criteria[2]"),
    ("criteria.2.manual", {2: WORDS}, "from 0 to 1, got 2", "$.criteria[2].manual.2"),
    ("criteria.0.points", -1, "a number >= 0, got -1", "$.criteria[0].points"),
    ("criteria.0.points", "much", "a number or a fraction", "$.criteria[0].points"),
    ("criteria.0.points", "1/0", "a number or a fraction, got \"'1/0'\"", "$.criteria[0].points"),
    ("criteria.0.points", float("nan"), "a number or a fraction", "$.criteria[0].points"),
    ("criteria.0.points", float("inf"), "a number or a fraction", "$.criteria[0].points"),
    ("criteria.0.points", "1e99999999999", "a number or a fraction", "$.criteria[0].points"),
    ("criteria.0.points", True, "a number or a fraction, got 'True'", "$.criteria[0].points"),
    ("criteria.0.points", None, "a number or a fraction, got 'None'", "$.criteria[0].points"),
    ("criteria.1.id", "value", "each id once, got 'value' again", "$.criteria[1].id"),
    ("cases.1.id", "seen", "each id once, got 'seen' again", "$.cases[1].id"),
    ("cases.1.show", "public", "a hidden case beside the public", "$.criteria[0].over"),
    ("cases.0.calls", 0, "a number >= 1, got 0", "$.cases[0].calls"),
    ("cases.0.gain", float("nan"), "a number > 0, got nan", "$.cases[0].gain"),
    ("cases.0.sizes.B", -2, "a number >= 0, got -2", "$.cases[0].sizes.B"),
    ("limits", {"seconds": 0}, "a number > 0, got 0.0", "$.limits.seconds"),
    ("limits", {"memory_mb": -1}, "a number > 0, got -1", "$.limits.memory_mb"),
    ("limits", {"trial_seconds": float("nan")}, "a number > 0", "$.limits.trial_seconds"),
    ("tolerance", {"rtol": float("nan")}, "from 0 to below 1, got nan", "$.tolerance.rtol"),
    ("tolerance", {"atol": float("inf")}, "from 0 to below 1, got inf", "$.tolerance.atol"),
    ("title", "Doubling", "a mapping, got 'Doubling'", "$.title"),
    ("cases.0", "seen", "a mapping, got 'seen'", "$.cases[0]"),
]  # fmt: skip


WRONG_PATCHES: list[tuple[str, Any, str, str]] = [
    ("misconceptions.0.edits", [], "at least one edit, got none", "$.misconceptions[0].edits"),
    ("variants.0.edits", [], "at least one edit, got none", "$.variants[0].edits"),
    ("harmless.0.edits", [], "at least one edit, got none", "$.harmless[0].edits"),
    ("misconceptions.0.edits.0.in", ..., "the key 'in', got none",
     "$.misconceptions[0].edits[0].in"),
    ("misconceptions.0.edits.0.in", 3, "text, got '3'", "$.misconceptions[0].edits[0].in"),
    ("misconceptions.0.twins", [], "'two' among the twins of 'one', got none",
     "$.misconceptions[1].twins"),
    ("misconceptions.0.edits.0.pt", "b", "did you mean 'put'?", "$.misconceptions[0].edits[0].pt"),
    ("misconceptions.0.edits.0", "x", "a mapping, got 'x'", "$.misconceptions[0].edits[0]"),
    ("misconceptions.0.edits", "x", "a list, got 'x'", "$.misconceptions[0].edits"),
    ("misconceptions.0", "x", "a mapping, got 'x'", "$.misconceptions[0]"),
    ("misconceptions", "x", "a list, got 'x'", "$.misconceptions"),
    ("misconceptions.0.symptom", ..., "the key 'symptom', got none", "$.misconceptions[0].symptom"),
    ("misconceptions.0.hint", "one", "a mapping, got 'one'", "$.misconceptions[0].hint"),
    ("misconceptions.0.hint.ko", ..., "the key 'ko', got none", "$.misconceptions[0].hint.ko"),
    ("misconceptions.0.source", ..., "the key 'source', got none", "$.misconceptions[0].source"),
    ("misconceptions.0.symtom", WORDS, "did you mean 'symptom'?", "$.misconceptions[0].symtom"),
    ("misconceptions.1.twins", ["on"], "did you mean 'one'?", "$.misconceptions[1].twins"),
    ("misconceptions.1.twins", ["other"], "one of one, two, got", "$.misconceptions[1].twins"),
    ("misconceptions.1.id", "one", "each id once, got 'one' again", "$.misconceptions[1].id"),
    ("variants.0.id", "one", "each id once, got 'one' again", "$.variants[0].id"),
    ("harmless.0.id", "other", "each id once, got 'other' again", "$.harmless[0].id"),
    ("variants.0.earns", {"valeu": 1}, "did you mean 'value'?", "$.variants[0].earns"),
    ("variants.0.earns", {"style": 1}, "one of value, order, got", "$.variants[0].earns"),
    ("variants.0.earns", {"value": 2}, "a share from 0 to 1, got 2", "$.variants[0].earns.value"),
    ("variants.0.earns", {"value": -0.5}, "from 0 to 1, got -1/2", "$.variants[0].earns.value"),
    ("variants.0.earns", {"value": "all"}, "a number or a fraction", "$.variants[0].earns.value"),
    ("variants.0.nots", WORDS, "did you mean 'note'?", "$.variants[0].nots"),
    ("harmless.0.why", ..., "the key 'why', got none", "$.harmless[0].why"),
    ("by_check", {"row": "pur"}, "did you mean 'pure'?", "$.by_check.row"),
    ("show_hints", "sometimes", "'always', 'after_due' or 'never'", "$.show_hints"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said", "at"), WRONG_PATCHES)
def test_a_refused_patch_says_what_was_expected_and_where(
    path: str, value: Any, said: str, at: str
) -> None:
    lines = refusal(changed(path, value, PATCHED))
    assert any(said in line and line.endswith(f" @ rubrics/tiny.yaml {at}") for line in lines), (
        lines
    )
    assert all(line.startswith("expected ") for line in lines)


def test_a_released_part_needs_no_edits() -> None:
    part = RUBRIC.dump_python(public_rubric(parse(PATCHED)))
    assert [each["edits"] for each in (*part["misconceptions"], *part["variants"])] == [()] * 3
    assert "at least one edit" in "\n".join(refusal(part))
    assert len(parse_rubric(part, "public.json", NAMES, released=True).patches) == 3


@pytest.mark.parametrize(("path", "value", "said", "at"), WRONG)
def test_a_refusal_says_what_was_expected_and_where(
    path: str, value: Any, said: str, at: str
) -> None:
    lines = refusal(changed(path, value))
    assert any(said in line and line.endswith(f" @ rubrics/tiny.yaml {at}") for line in lines), (
        lines
    )
    assert all(line.startswith("expected ") for line in lines)


def test_points_of_too_many_digits_are_refused() -> None:
    (line,) = refusal(changed("criteria.0.points", 10**5000))
    assert "a number or a fraction, got 'a number of too many digits'" in line


@pytest.mark.parametrize("tree", [None, 3, "text", [], [TREE]])
def test_what_is_no_mapping_is_no_rubric(tree: Any) -> None:
    (line,) = refusal(tree)
    assert line.startswith("expected a mapping") and line.endswith("@ rubrics/tiny.yaml $")


def test_needs_may_not_wait_for_a_person() -> None:
    late = {**TREE["criteria"][0], "id": "late", "needs": ["style"]}
    (line,) = refusal(changed("criteria", [*TREE["criteria"], late]))
    assert "one of value, order, got 'style'" in line


def test_a_released_part_may_hold_public_cases_only() -> None:
    part = RUBRIC.dump_python(public_rubric(parse(TREE)))
    assert [case["id"] for case in part["cases"]] == ["seen"]
    assert [each["id"] for each in part["criteria"]] == ["value"]
    assert "hidden case" in refusal(part)[0]
    assert parse_rubric(part, "public.json", NAMES, released=True).entries == ("f",)


BAD_YAML = {
    "a: 1\na: 2\n": "the key 'a' more than once @ PATH line 2",
    "x:\n  y: {b: 1, b: 2}\n": "the key 'b' more than once @ PATH line 2",
    "{1: a, true: b}": "the key True more than once @ PATH line 1",
    "[1, 2": "@ PATH line 1",
    "a: &self [*self]": "recursive node @ PATH line 1",
    "a: *nowhere": "undefined alias 'nowhere' @ PATH line 1",
    "? [1]\n: 2": "found unhashable key @ PATH line 1",
    "!!python/object/apply:os.system [ls]": "@ PATH line 1",
    "\x00": "@ PATH",
    "!!int x": "@ PATH",
    "!!bool x": "@ PATH",
    "!!timestamp x": "@ PATH",
    "!!set [1]": "@ PATH",
    "0b_": "@ PATH",
    "2024-13-45": "@ PATH",
    "[" * 5000: "@ PATH line 1",
    "a: 0x" + "f" * 5000: "@ PATH line 1",
    "a: " + ":".join(["59"] * 3000): "@ PATH line 1",
    "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    + "".join(f"{y}: &{y} [{f'*{x}, ' * 10}]\n" for x, y in pairwise("abcde"))
    + "z: *e": "@ PATH line 5",
}


@pytest.mark.parametrize("text", BAD_YAML, ids=lambda text: repr(text[:20]))
def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CourseError, match="expected YAML") as raised:
        read(tmp_path, text)
    ending = BAD_YAML[text].replace("PATH", str(tmp_path / "tiny.yaml"))
    assert str(raised.value).endswith(ending)


def test_a_file_too_large_and_what_it_would_quote_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"at most 500000 characters, got 600000 @ .*tiny.yaml"):
        read(tmp_path, "#" * 600_000)
    for text in ("? " + "k" * 60_000 + "\n: 1", "title: [" + "x, " * 20_000 + "]"):
        with pytest.raises(CourseError) as raised:
            read(tmp_path, text)
        assert len(str(raised.value)) < 2_000
    with pytest.raises(CourseError, match=r"\n\.\.\. and 1974 more$"):
        read(tmp_path, "\n".join(f"a{i}: 1" for i in range(2000)))


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="expected YAML"):
        read(tmp_path, b"\xff\xfe\x00a")
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(CourseError, match="expected a rubric, got") as raised:
            read_rubric(path, NAMES)
        assert str(raised.value).endswith(f"@ {path}")


# -- anything at all --------------------------------------------------------------------------

LENIENT = settings(
    deadline=None, max_examples=150, suppress_health_check=[*HealthCheck]
)  # fmt: skip
KEYS = st.sampled_from(sorted({key for keys in KNOWN_KEYS.values() for key in keys} | {"name"}))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), KEYS,
    st.sampled_from(["public", "close", "f", "normal(B)", WORDS]),
)  # fmt: skip
TREES = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def rubric_or_refusal(tree: Any) -> None:
    try:
        rubric = parse(tree)
    except CourseError as error:
        assert str(error).startswith("expected ") and "rubrics/tiny.yaml $" in str(error)
    else:
        assert parse(RUBRIC.dump_python(rubric)) == rubric


@LENIENT
@given(TREES)
def test_any_tree_is_a_rubric_or_refused(tree: Any) -> None:
    rubric_or_refusal(tree)


def paths(tree: Any, path: str = "") -> list[str]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        if not isinstance(key, str | int) or path.endswith("manual"):
            continue
        found.append(f"{path}.{key}".lstrip("."))
        if isinstance(value, dict | list):
            found += paths(value, found[-1])
    return found


@LENIENT
@given(st.sampled_from(paths(PATCHED)), TREES | st.just(...))
def test_a_rubric_with_any_one_value_changed_is_a_rubric_or_refused(path: str, value: Any) -> None:
    rubric_or_refusal(changed(path, value, PATCHED))


@LENIENT
@given(st.text(alphabet="ab:-[]{}!&*?|>'\"#%@,<=~01. \n\t", max_size=30) | st.text(max_size=20))
def test_any_text_is_a_rubric_or_refused(tmp_path_factory: Any, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        read(folder, text.encode("utf-8", "surrogatepass"))
    except CourseError as error:
        assert str(folder / "tiny.yaml") in str(error)
