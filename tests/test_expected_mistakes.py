"""What a student's folder says of known mistakes, and what it never does."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from naming_course import REFERENCE, RUBRIC, make_assignment, make_course, written

from grader.assignment import Assignment, read_assignment
from grader.author import release, stale, write
from grader.errors import CourseError
from grader.expected import from_bundle, public_rubric, same_bundle
from grader.reports.student import report_html, report_markdown
from grader.reports.view import student_view
from grader.sandbox.runner import Runner
from grader.student import check
from grader.types import Text, Verdict


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return make_assignment(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def released(assignment: Assignment, runner: Runner) -> dict[str, bytes]:
    return release(assignment, "secret", runner).files


@pytest.fixture
def folder(tmp_path: Path, released: dict[str, bytes]) -> Path:
    """What a student has, far from any course."""
    home = tmp_path / "home"
    home.mkdir()
    for name, content in released.items():
        (home / name).write_bytes(content)
    return home


def test_a_bundle_holds_no_edit_no_source_of_a_patch_and_no_reason(
    released: dict[str, bytes], assignment: Assignment
) -> None:
    text = released["public.json"].decode()
    tree = json.loads(text)
    told = tree["rubric"]
    assert len(told["misconceptions"]) == len(assignment.rubric.misconceptions) == 8
    for each in (*told["misconceptions"], *told["variants"]):
        assert list(each["edits"]) == [] and each["source"] == ""
        assert each.get("why", "") == ""
    assert (list(told["harmless"]), told["by_check"]) == ([], {})
    for patch in assignment.rubric.patches:
        for edit in patch.edits:
            if len(edit.put) > 3:
                assert json.dumps(edit.put)[1:-1] not in text, edit.put
    assert "sum" not in [each["id"] for each in told["variants"]]


def test_a_bundle_holds_what_a_student_reads_of_a_mistake(released: dict[str, bytes]) -> None:
    (triple, *_) = json.loads(released["public.json"])["rubric"]["misconceptions"]
    assert triple["symptom"]["en"] == "The slope is too steep."
    assert triple["hint"]["en"] == "How much does y grow when x grows by one?"


@pytest.mark.parametrize("shown", ["never", "after_due"])
def test_a_bundle_holds_no_hint_that_is_not_shown_always(
    assignment: Assignment, shown: Any
) -> None:
    rubric = public_rubric(replace(assignment.rubric, show_hints=shown))
    assert {each.hint for each in rubric.misconceptions} == {Text(en="", ko="")}
    assert rubric.show_hints == shown
    assert all(each.symptom.en for each in rubric.misconceptions)


def test_no_hint_is_written_where_none_is_shown(tmp_path: Path, runner: Runner) -> None:
    made = make_assignment(tmp_path, RUBRIC.replace("limits:", "show_hints: never\nlimits:", 1))
    text = release(made, "secret", runner).files["public.json"].decode()
    for misconception in made.rubric.misconceptions:
        assert misconception.hint.en not in text and misconception.hint.ko not in text
        assert misconception.symptom.en in text


def test_a_bundle_says_nothing_of_what_hidden_cases_answer(
    assignment: Assignment, runner: Runner, released: dict[str, bytes]
) -> None:
    other = release(assignment, "another secret", runner).files
    assert same_bundle(other["public.json"], released["public.json"])
    text = released["public.json"].decode()
    assert not any(case.id in text for case in assignment.rubric.cases if case.show == "hidden")


# -- checking in the folder -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "entry", "name"),
    [
        ({"double": "return 1 + 3 * x"}, "double", "triple"),
        ({"shift": "return 3 + double(x)"}, "shift", "other-way"),
        ({"scale": "return self.factor.data * double(x)"}, "Scale", "detached"),
        ({"shift": "return double(x) - 2"}, "shift", "by-two"),
    ],
)
def test_a_check_names_the_mistake_without_the_reference(
    folder: Path, runner: Runner, changed: dict[str, str], entry: str, name: str
) -> None:
    (folder / "chain.py").write_text(written(**changed))
    found = check(None, None, folder, runner).grade.diagnoses
    assert (found[0].entry, found[0].alternatives) == (entry, ((name,),))


def test_a_check_pays_for_what_is_carried_as_the_course_does(folder: Path, runner: Runner) -> None:
    (folder / "chain.py").write_text(written(double="return 1 + 3 * x"))
    graded = check(None, None, folder, runner).grade
    assert {each.id for each in graded.criteria if each.verdict is not Verdict.PASS} == {"value"}
    (folder / "chain.py").write_text(written(double="return x * float('nan')"))
    graded = check(None, None, folder, runner).grade
    failed = {each.id for each in graded.criteria if each.verdict is not Verdict.PASS}
    assert failed == {"value", "shifted"}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_shows_the_symptom_and_the_question(
    folder: Path, runner: Runner, language: str
) -> None:
    (folder / "chain.py").write_text(written(double="return 1 + 3 * x"))
    view = student_view(check(None, None, folder, runner).grade)
    for page in (report_html(view, language), report_markdown(view, language)):
        plain = page.replace("\\", "")
        assert {"en": "The slope is too steep.", "ko": "기울기가 너무 큽니다."}[language] in plain
        assert {"en": "How much does y grow", "ko": "얼마나 커지나요?"}[language] in plain


# -- old and damaged --------------------------------------------------------------------------


def damaged(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "public.json"
    tree = json.loads(path.read_text("utf-8"))
    change(tree)
    path.write_text(json.dumps(tree), "utf-8")


def test_a_bundle_that_does_not_know_a_trial_is_refused(folder: Path) -> None:
    damaged(folder, lambda tree: tree["mistakes"]["prints"][""].pop("moved\tbase"))
    with pytest.raises(CourseError, match=r"no fingerprint of 'moved base' @ .*fetch"):
        from_bundle(folder)


def test_a_bundle_without_mistakes_still_checks(folder: Path, runner: Runner) -> None:
    damaged(folder, lambda tree: tree["mistakes"].update(prints={}, noticed=[]))
    (folder / "chain.py").write_text(written(double="return 1 + 3 * x"))
    graded = check(None, None, folder, runner).grade
    assert {each.kind for each in graded.diagnoses} <= {"located"}
    (folder / "chain.py").write_text(written())
    assert check(None, None, folder, runner).passed


# -- fresh or stale ---------------------------------------------------------------------------


def numbers(change: Callable[[float], float]) -> Callable[[dict[str, Any]], object]:
    def changed(tree: dict[str, Any]) -> None:
        for prints in tree["mistakes"]["prints"].values():
            for form_and_numbers in prints.values():
                form_and_numbers[1] = [change(number) for number in form_and_numbers[1]]

    return changed


def forget_a_mistake(tree: dict[str, Any]) -> None:
    tree["mistakes"]["prints"].pop("triple")


def forget_a_trial(tree: dict[str, Any]) -> None:
    tree["mistakes"]["prints"]["triple"].popitem()


def pay_nothing(tree: dict[str, Any]) -> None:
    tree["mistakes"]["noticed"].pop()


def another_word(tree: dict[str, Any]) -> None:
    tree["rubric"]["title"]["en"] = "Another"


@pytest.mark.parametrize(
    ("change", "fresh"),
    [
        (numbers(lambda number: number * (1 + 1e-13)), True),
        (numbers(lambda number: number + 1e-3), False),
        (forget_a_mistake, False),
        (forget_a_trial, False),
        (pay_nothing, False),
        (another_word, False),
    ],
)
def test_rounding_is_no_reason_to_release_again_and_everything_else_is(
    released: dict[str, bytes],
    change: Callable[[dict[str, Any]], object],
    fresh: bool,
) -> None:
    tree = json.loads(released["public.json"])
    change(tree)
    assert same_bundle(released["public.json"], json.dumps(tree).encode()) is fresh


def test_another_mistake_makes_a_release_stale(tmp_path: Path, runner: Runner) -> None:
    course = make_course(tmp_path)
    made = read_assignment(course, "chain")
    write(release(made, "s", runner), made)
    assert stale(release(read_assignment(course, "chain"), "s", runner), made.folder) == ()
    rubric = course / "rubrics" / "chain.yaml"
    rubric.write_text(rubric.read_text("utf-8").replace('"x * 3"', '"x * 5"'), "utf-8")
    again = release(read_assignment(course, "chain"), "s", runner)
    assert stale(again, made.folder) == ("public.json",)


@pytest.mark.parametrize("old", [b"", b"{}", b"\xff"])
def test_what_is_no_bundle_is_stale(released: dict[str, bytes], old: bytes) -> None:
    assert not same_bundle(released["public.json"], old)


def test_the_released_skeleton_is_the_references(released: dict[str, bytes]) -> None:
    assert b"x * 2" not in released["chain.py"] and "x * 2" in REFERENCE
