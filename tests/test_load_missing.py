"""An import that is not installed costs what uses it, and nothing else."""

import pytest
from tiny_course import RIGHT, make_course

from grader.assignment import read_assignment
from grader.expected import Standard, from_reference
from grader.mistakes import NoMistakes
from grader.pipeline import Desk, grade
from grader.provenance import provenance
from grader.sandbox.runner import Runner
from grader.types import Submission, SubmittedFile, Verdict


@pytest.fixture(scope="module")
def standard(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Standard:
    course = make_course(tmp_path_factory.mktemp("course") / "c")
    return from_reference(read_assignment(course, "tiny"), runner.run, "secret")


def verdicts(source: str, standard: Standard, runner: Runner) -> tuple[dict[str, str], set[str]]:
    """Verdict of each criterion, and every code that was found."""
    file = SubmittedFile(name="tiny.py", content=source.encode())
    submission = Submission(student="s", assignment="tiny", path="s", files=(file,))
    result = grade(
        submission,
        Desk(standard=standard, skeleton=b"", open=runner.open, mistakes=NoMistakes()),
        provenance("", "E"),
    )
    codes = {each.code for criterion in result.criteria for each in criterion.findings}
    return {each.id: each.verdict.value for each in result.criteria if each.verdict}, codes - {""}


@pytest.mark.parametrize(
    ("imported", "used"),
    [
        ("from no_such_thing import tqdm", "x + x + 0 * len(list(tqdm(range(3))))"),
        ("import no_such_thing as n", "n.rearrange(x)"),
        ("from no_such_thing.layers.torch import Rearrange", "Rearrange('b')(x)"),
        ("import no_such_thing.layers", "no_such_thing.layers.double(x)"),
    ],
)
def test_only_the_entry_that_uses_it_fails_and_it_is_named(
    imported: str, used: str, standard: Standard, runner: Runner
) -> None:
    source = f"{imported}\n{RIGHT}".replace("x + x", used)
    found, codes = verdicts(source, standard, runner)
    assert found["scale"] == Verdict.PASS
    assert (found["shape"], found["value"]) == (Verdict.ERROR, Verdict.BLOCKED)
    assert codes == {"load.missing_module"}


def test_a_guarded_import_takes_its_other_way(standard: Standard, runner: Runner) -> None:
    guarded = "try:\n    from no_such_thing import f\nexcept ImportError:\n    f = abs\n"
    found, _ = verdicts(guarded + RIGHT.replace("x + x", "x + f(1) * x"), standard, runner)
    assert set(found.values()) == {Verdict.PASS}


def test_a_base_class_that_is_missing_is_named(standard: Standard, runner: Runner) -> None:
    source = "import no_such_thing as n\n" + RIGHT.replace("torch.nn.Module", "n.Module")
    _, codes = verdicts(source, standard, runner)
    assert codes == {"load.missing_module"}
