"""Does the audit find each kind of shortfall, and nothing in a sound assignment?"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from html_pages import read_page
from naming_course import REFERENCE, RIGHT, RUBRIC, make_assignment, make_course
from typer.testing import CliRunner

from grader import cli
from grader.audit import Audit, Row, audit, signatures
from grader.audit.kept import KeptAudits, audit_key
from grader.audit.pages import audit_html, audit_json, audit_markdown, margin_text
from grader.author import make_skeleton
from grader.errors import CourseError
from grader.sandbox.runner import Runner

Looked = Callable[..., Audit]


@pytest.fixture
def looked(tmp_path: Path, runner: Runner) -> Looked:
    """Audits the course with a changed rubric, reference or skeleton, and right implementations."""

    def look(
        *changes: tuple[str, str],
        reference: str = REFERENCE,
        skeleton: str | None = None,
        **rights: str,
    ) -> Audit:
        rubric = RUBRIC
        for old, new in changes:
            assert rubric.count(old) == 1, old
            rubric = rubric.replace(old, new)
        assignment = make_assignment(tmp_path / "course", rubric, reference)
        if skeleton is not None:
            assignment = replace(assignment, skeleton=skeleton.encode())
        paths = []
        for name, source in rights.items():
            paths.append(tmp_path / f"{name}.py")
            paths[-1].write_text(source)
        return audit(assignment, "secret", runner, tuple(paths))

    return look


def misconception(
    name: str, find: str, put: str, scope: str = "double", more: str = ""
) -> tuple[str, str]:
    edit = f'{{in: {scope}, find: "{find}", put: "{put}"}}'
    row = (
        f"misconceptions:\n  - {{id: {name}, edits: [{edit}], "
        f"symptom: {{en: a, ko: 가}}, hint: {{en: b, ko: 나}}, source: here{more}}}\n"
    )
    return "misconceptions:\n", row


# -- a sound assignment -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("sound")
    right = folder / "right.py"
    right.write_text(RIGHT)
    return audit(make_assignment(folder / "course"), "secret", runner, (right,))


def test_a_sound_assignment_has_no_shortfall(sound: Audit) -> None:
    assert sound.problems == ()
    assert (sound.assignment, sound.right) == ("chain", 1)
    assert 0 <= sound.right_margin < 1e-3 and sound.wrong_margin > 1e3


def test_the_kill_matrix_says_which_case_catches_what(sound: Audit) -> None:
    rows = {row.id: row for row in sound.rows}
    assert (rows["triple"].public, rows["triple"].hidden) == (("seen",), ("unseen",))
    assert (rows["triple"].costs, rows["triple"].named) == (("value",), ("triple",))
    assert (rows["other-way"].public, rows["other-way"].hidden) == (("moved",), ("moved-unseen",))
    assert (rows["detached"].costs, rows["detached"].public) == (("backward",), ("scale",))
    # What rests on a mistake is not counted against it.
    assert (rows["nothing"].costs, rows["nothing"].blocked) == (("value",), ())
    assert rows["nothing"].margin == float("inf")
    assert rows["fourfold"].named == ("fourfold",)


def test_a_mistake_costs_few_criteria_in_the_mean(sound: Audit) -> None:
    assert sound.mean_cost == 1


def test_cases_that_another_of_their_kind_makes_needless_are_weak(sound: Audit) -> None:
    assert sound.cases["seen"] == "public" and sound.cases["unseen"] == "hidden"
    assert sound.weak == ()


def test_a_case_that_catches_nothing_alone_is_weak(looked: Looked) -> None:
    again = (
        '  - {id: again, entry: shift, args: {x: "normal(B, N)"}, sizes: {B: 5, N: 3}, '
        'returns: {y: "B, N"}, show: hidden}\n'
    )
    assert looked(("criteria:\n", f"{again}criteria:\n")).weak == ("moved-unseen", "again")


# -- each kind of shortfall -------------------------------------------------------------------


def one(found: Audit, pattern: str) -> None:
    said = [problem for problem in found.problems if re.search(pattern, problem)]
    assert len(said) == 1, found.problems


def test_a_survivor_is_found(looked: Looked) -> None:
    found = looked(misconception("survivor", "x * 2", "x * 2.0"))
    one(found, "^expected a public case that catches survivor, got none$")
    one(found, "^expected a hidden case that catches survivor, got none$")
    one(found, "^expected survivor to be diagnosed as itself, got nothing$")
    assert len(found.problems) == 3


def test_a_mistake_that_only_hidden_cases_catch_is_found_unless_it_says_why(looked: Looked) -> None:
    put = "x * (2 if x.shape[0] == 2 else 9)"
    one(looked(misconception("rare", "x * 2", put)), "expected a public case that catches rare")


def test_with_a_reason_a_mistake_may_pass_the_public_cases(looked: Looked) -> None:
    put = "x * (2 if x.shape[0] == 2 else 9)"
    found = looked(misconception("rare", "x * 2", put, more=", why: only in large batches"))
    assert found.problems == ()


def test_two_that_can_not_be_told_apart_are_found(looked: Looked) -> None:
    found = looked(("twins: [double-twice]", "why: x"), ("twins: [fourfold]", "why: y"))
    one(found, "^expected a case that tells fourfold from double-twice, got none$")
    one(found, "^expected fourfold to be told from double-twice$")
    one(found, "^expected double-twice to be told from fourfold$")
    assert len(found.problems) == 3


def test_a_wrong_name_is_found(looked: Looked) -> None:
    found = looked(misconception("two", "y - 3", "-2 + y", "shift"))
    one(found, "^expected two to be diagnosed as itself, got by-two$")


def test_a_variant_that_is_not_named_is_found(looked: Looked) -> None:
    found = looked(('put: "y - 2"', 'put: "y - 3.0"'))
    one(found, "^expected the variant by-two to be named, got nothing$")


def test_something_harmless_that_costs_is_found(looked: Looked) -> None:
    found = looked(('put: "(x + x)"', 'put: "(x + x + x + x + x)"'))
    one(found, "^expected full marks for the harmless sum, got 0$")
    assert len(found.problems) == 1


def test_a_margin_under_ten_is_found(looked: Looked) -> None:
    put = "(y - 3) * (1 + 3e-7)"
    found = looked(misconception("close", "y - 3", put, "shift", more=", why: close"))
    one(found, r"^expected close at least 10 tolerances away, got [1-3][.\d]*$")


def test_a_right_implementation_too_far_away_is_found(looked: Looked) -> None:
    far = RIGHT.replace("double(x) - 3", "(double(x) - 3) * (1 + 5e-8)")
    one(looked(far=far), r"^expected right code within 1/10 of the tolerance, got 0\.\d+$")


def test_a_right_implementation_that_fails_is_found(looked: Looked) -> None:
    wrong = RIGHT.replace("- 3", "- 2")
    found = looked(right=RIGHT, wrong=wrong)
    one(found, r"^expected full marks and no diagnosis for .*wrong\.py, got 9$")
    assert found.right == 2


def test_a_criterion_that_catches_nothing_alone_is_found(looked: Looked) -> None:
    found = looked((", why: a row may look at another", ""))
    one(found, "^expected a mistake that only alone catches or a `why`, got none$")
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("def shift(x)", "def shift(y)"), ("(self, x)", "(self, x=None)"), ("def double", "def dbl")],
)
def test_a_skeleton_with_other_arguments_is_found(looked: Looked, old: str, new: str) -> None:
    made = make_skeleton(REFERENCE, "reference/chain.py")
    assert made.count(old) == 1
    found = looked(skeleton=made.replace(old, new))
    one(found, "^expected the skeleton to have the reference's signatures$")


def test_a_skeleton_that_holds_a_solution_is_found(looked: Looked) -> None:
    found = looked(skeleton=REFERENCE.replace("y - 3", "y"))
    one(found, r"^expected nothing for the skeleton, got 8$")


def test_an_assignment_that_was_never_released_is_found(looked: Looked) -> None:
    one(looked(skeleton=""), "^expected a released skeleton, got none$")


def test_a_reference_without_full_marks_is_found(looked: Looked) -> None:
    impure = REFERENCE.replace("return x * 2 + 1", "x.data.add_(1)\n    return (x - 1) * 2 + 1")
    rubric = RUBRIC.replace('find: "x * 2"', 'find: "(x - 1) * 2"').replace(
        'put: "x', 'put: "(x - 1)'
    )
    found = looked((RUBRIC, rubric), reference=impure)
    one(found, "^expected full marks for the reference, got ")


def test_a_patch_that_does_not_fit_is_refused(looked: Looked) -> None:
    with pytest.raises(CourseError, match=r"expected 'x \* 7' once in double, got 0"):
        looked(misconception("lost", "x * 7", "x"))


# -- signatures -------------------------------------------------------------------------------


def test_signatures_are_arguments_defaults_and_annotations() -> None:
    source = "def f(x: int, *, y=2): pass\nclass A:\n    z = 1\n    def g(self): pass\nx = 3\n"
    assert signatures(source) == {"f": "x: int, *, y=2", "A.g": "self"}


# -- pages ------------------------------------------------------------------------------------

ROW = Row(
    id="<b>odd</b>", public=("one",), hidden=(), costs=("value",), blocked=(), named=("odd",),
    margin=float("inf"),
)  # fmt: skip
MADE = Audit(
    assignment="x", cases={"one": "public", "two": "hidden"},
    rows=(ROW, replace(ROW, margin=1234.5)), weak=("two",), right_margin=2e-9, right=5,
    problems=("expected <i>all</i> well",),
)  # fmt: skip


def test_the_page_shows_the_matrix_and_takes_nothing_for_markup() -> None:
    page = audit_html(MADE)
    text = read_page(page).text
    assert "&lt;b&gt;odd&lt;/b&gt;" in page and "<b>odd" not in page
    assert "expected &lt;i&gt;all&lt;/i&gt; well" in page
    assert page.count("×") == 2 and "two · hidden" in text
    assert "by its form" in text and "1200" in text


def test_the_json_is_strict_and_holds_everything() -> None:
    strict = {"parse_constant": lambda name: pytest.fail(name)}
    tree, other = json.loads(audit_json(MADE, replace(MADE, assignment="other")), **strict)
    assert other["assignment"] == "other"
    assert tree["rows"][0]["margin"] is None and tree["rows"][1]["margin"] == 1234.5
    assert tree["problems"] == ["expected <i>all</i> well"]
    assert tree.keys() == {
        "assignment", "cases", "rows", "weak", "right_margin", "right", "problems",
    }  # fmt: skip


def test_the_markdown_has_a_row_for_each_misconception() -> None:
    lines = audit_markdown(MADE).splitlines()
    assert lines[0] == "## x"
    assert sum(line.startswith("| <b>odd</b> | 1 | 0 | value |") for line in lines) == 2
    assert lines[-1] == "Cases that catch nothing alone: two."
    assert "5 implementations" in "\n".join(lines)


def test_without_misconceptions_there_is_no_margin() -> None:
    empty = replace(MADE, rows=(), weak=())
    assert (empty.wrong_margin, empty.mean_cost) == (float("inf"), 0.0)
    assert margin_text(empty.wrong_margin) == "by its form"
    assert audit_markdown(empty) and audit_html(empty) and audit_json(empty)


# -- the command ------------------------------------------------------------------------------


def test_the_command_writes_its_pages_and_fails_where_something_falls_short(
    tmp_path: Path,
) -> None:
    course, out = make_course(tmp_path / "course"), tmp_path / "out"
    rights = tmp_path / "rights"
    (rights / "chain").mkdir(parents=True)
    (rights / "chain" / "right.py").write_text(RIGHT)
    arguments = ["audit", "--course", str(course), "--out", str(out), "--right", str(rights)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "(1 implementations by others)" in result.output
    assert sorted(path.name for path in out.iterdir()) == ["chain.html", "chain.json", "chain.md"]
    (told,) = json.loads((out / "chain.json").read_text("utf-8"))
    assert told["problems"] == []
    # What is printed is what stands in docs/: no line of it is wrapped.
    assert result.output.strip() == (out / "chain.md").read_text("utf-8").strip()

    rubric = course / "rubrics" / "chain.yaml"
    text = rubric.read_text("utf-8").replace(", why: a row may look at another", "")
    rubric.write_text(text, "utf-8")
    result = CliRunner().invoke(cli.app, ["audit", "chain", "--course", str(course), "--json"])
    assert result.exit_code == 1
    (told,) = json.loads(result.output)
    (problem,) = told["problems"]
    assert "only alone catches" in problem


def test_margins_are_in_two_digits() -> None:
    assert [margin_text(value) for value in (12.34, 0.00123, 1e9)] == ["12", "0.0012", "1e9"]
    assert np.isinf(replace(MADE, rows=(ROW,)).wrong_margin)


def test_what_is_known_is_not_looked_at_again_and_several_go_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, kept = make_course(tmp_path / "course"), tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept))
    for part in ("rubrics/{}.yaml", "reference/{}.py"):
        text = (course / part.format("chain")).read_text("utf-8")
        (course / part.format("again")).write_text(
            text.replace("assignment: chain", "assignment: again")
        )
    shutil.copytree(course / "assignments" / "chain", course / "assignments" / "again")
    (course / "assignments" / "again" / "chain.py").rename(
        course / "assignments" / "again" / "again.py"
    )
    ask = ["audit", "--course", str(course), "--json", "-j", "2"]
    first = CliRunner().invoke(cli.app, ask)
    assert first.exit_code == 0, first.output
    assert [each["assignment"] for each in json.loads(first.output)] == ["again", "chain"]
    assert len(list((kept / "sequence-grader").glob("audit-*.json"))) == 2
    monkeypatch.setattr("grader.cli.audit.look_at", None)
    monkeypatch.setattr("grader.cli.audit.subprocess", None)
    assert CliRunner().invoke(cli.app, ask).output == first.output


def test_a_kept_audit_is_read_as_it_was_and_anything_else_is_not(
    tmp_path: Path, sound: Audit
) -> None:
    kept = KeptAudits(tmp_path / "new")
    assert kept.get("key") is None
    kept.put("key", sound)
    assert kept.get("key") == sound
    (tmp_path / "new" / "audit-key.json").write_text("[]")
    assert kept.get("key") is None


def test_the_key_of_an_audit_changes_with_what_decides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, right = make_assignment(tmp_path / "course"), tmp_path / "right.py"
    right.write_text(RIGHT)
    key = audit_key(made, "secret", (right,))
    assert key == audit_key(made, "secret", (right,))
    assert key != audit_key(made, "other", (right,))
    assert key != audit_key(made, "secret", ())
    assert key != audit_key(replace(made, digest="other"), "secret", (right,))
    right.write_text(RIGHT + "\n")
    assert key != (changed := audit_key(made, "secret", (right,)))
    monkeypatch.setattr("grader.audit.kept.code_digest", lambda *names: "another engine")
    assert changed != audit_key(made, "secret", (right,))
