"""Every triple of the course: reference, skeleton and rubric agree."""

import ast
import json
from fractions import Fraction
from pathlib import Path

import pytest

from grader.assignment import assignment_names, read_assignment
from grader.audit import signatures
from grader.author import release, stale
from grader.expected import Standard, from_bundle, from_reference
from grader.mistakes import NoMistakes
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Grade, Status, Submission, SubmittedFile, Verdict

ROOT = Path(__file__).resolve().parent.parent
NAMES = assignment_names(ROOT)


@pytest.fixture(scope="module")
def standards(runner: Runner) -> dict[str, Standard]:
    return {
        name: from_reference(read_assignment(ROOT, name), runner.run, "a secret") for name in NAMES
    }


def graded(
    name: str, content: bytes, standard: Standard, runner: Runner, skeleton: bytes = b""
) -> Grade:
    file = SubmittedFile(name=f"{name}.py", content=content)
    submission = Submission(student="s", assignment=name, path="s.py", files=(file,))
    desk = Desk(standard=standard, skeleton=skeleton, open=runner.open, mistakes=NoMistakes())
    return grade(submission, desk, provenance("", "E"))


@pytest.mark.parametrize("name", NAMES)
def test_skeleton_and_reference_have_the_same_signatures(name: str) -> None:
    reference = signatures((ROOT / "reference" / f"{name}.py").read_text())
    skeleton = signatures((ROOT / "assignments" / name / f"{name}.py").read_text())
    assert skeleton == reference
    entries = read_assignment(ROOT, name).rubric.entries
    top_level = {entry for entry in entries if entry not in reference}
    assert all(any(key.startswith(f"{entry}.") for key in reference) for entry in top_level)


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_has_full_marks(
    name: str, standards: dict[str, Standard], runner: Runner
) -> None:
    content = (ROOT / "reference" / f"{name}.py").read_bytes()
    result = graded(name, content, standards[name], runner)
    assert result.status is Status.GRADED
    extra = sum(each.points for each in standards[name].rubric.criteria if each.bonus)
    assert result.earned == result.possible + extra > 0
    manual = sum(c.points for c in standards[name].rubric.criteria if c.manual)
    assert result.pending == manual


@pytest.mark.parametrize("name", NAMES)
def test_the_skeleton_has_no_points_and_is_not_started(
    name: str, standards: dict[str, Standard], runner: Runner
) -> None:
    skeleton = (ROOT / "assignments" / name / f"{name}.py").read_bytes()
    result = graded(name, skeleton, standards[name], runner)
    assert result.earned == 0
    assert {each.verdict for each in result.criteria} <= {Verdict.ERROR, Verdict.BLOCKED, None}
    assert all(each.blocked_by for each in result.criteria if each.verdict is Verdict.BLOCKED)
    untouched = graded(name, skeleton, standards[name], runner, skeleton)
    assert (untouched.status, untouched.earned) == (Status.NOT_STARTED, 0)


@pytest.mark.slow  # .ci/run asks the same of each by `grader release --check`
@pytest.mark.parametrize("name", NAMES)
def test_the_generated_files_are_fresh(name: str, runner: Runner) -> None:
    assignment = read_assignment(ROOT, name)
    assert stale(release(assignment, "any secret", runner), assignment.folder) == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_the_module(name: str) -> None:
    notebook = json.loads((ROOT / "assignments" / name / f"{name}.ipynb").read_text("utf-8"))
    code = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    module = (ROOT / "assignments" / name / f"{name}.py").read_text("utf-8")
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(module))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert ids == [f"{name}-{index}" for index in range(len(ids))]


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_solution_is_in_the_released_folder(name: str) -> None:
    reference = (ROOT / "reference" / f"{name}.py").read_text("utf-8").splitlines()
    inside, secret = False, set()
    for line in reference:
        if line.strip() in ("# BEGIN SOLUTION", "# END SOLUTION"):
            inside = line.strip() == "# BEGIN SOLUTION"
        elif inside and len(line.strip()) > 24:
            secret.add(line.strip().partition("  #")[0])
    released = "\n".join(
        path.read_text("utf-8")
        for path in (ROOT / "assignments" / name).iterdir()
        if path.suffix in (".py", ".ipynb", ".json")
    )
    assert [line for line in secret if line in released] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_bundle_holds_no_hidden_case(name: str) -> None:
    rubric = read_assignment(ROOT, name).rubric
    bundle = from_bundle(ROOT / "assignments" / name)
    text = (ROOT / "assignments" / name / "public.json").read_text("utf-8")
    hidden = [case.id for case in rubric.cases if case.show == "hidden"]
    assert hidden
    assert [case for case in hidden if f'"{case}"' in text] == []
    assert set(bundle.standard.settings) == {c.id for c in rubric.cases if c.show == "public"}
    points = sum(criterion.points for criterion in rubric.criteria if not criterion.bonus)
    assert Fraction(bundle.points) == points


@pytest.mark.parametrize("name", NAMES)
def test_every_automatic_criterion_has_a_public_and_a_hidden_case(name: str) -> None:
    rubric = read_assignment(ROOT, name).rubric
    for criterion in rubric.criteria:
        if not criterion.manual:
            shown = {case.show for case in rubric.cases_over(criterion)}
            assert "hidden" in shown, criterion.id
            assert "public" in shown or criterion.why or criterion.id.endswith("gradient"), (
                criterion.id
            )


@pytest.mark.parametrize("name", NAMES)
def test_every_criterion_points_to_a_section_of_the_hand_out_in_both_languages(name: str) -> None:
    rubric = read_assignment(ROOT, name).rubric
    for handout in ("README.md", "README.ko.md"):
        text = (ROOT / "assignments" / name / handout).read_text("utf-8")
        for criterion in rubric.criteria:
            assert f'<a id="{criterion.read}"></a>' in text, (handout, criterion.id)


@pytest.mark.parametrize("name", NAMES)
def test_the_sizes_of_the_main_cases_all_differ(name: str) -> None:
    for case in read_assignment(ROOT, name).rubric.cases:
        lengths = [length for length in case.sizes.values() if length > 1]
        exempt = "square" in case.id or case.id in ("digits", "digits-drawn", "causal-padded")
        assert exempt or len(set(lengths)) == len(lengths), case.id
