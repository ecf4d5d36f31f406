"""Submissions in every layout of `tests/adapters`: the right ones earn everything, the planted
mistakes are caught and named.
"""

from functools import cache
from pathlib import Path

import pytest
import yaml

from grader.collect import collect
from grader.instructor import Marker
from grader.mistakes import NoMistakes
from grader.sandbox.runner import Runner
from grader.types import Grade, Submission, SubmittedFile

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests" / "adapters"
PLANTED = yaml.safe_load((HERE / "planted.yaml").read_text())
RIGHT = sorted(
    path.relative_to(HERE).as_posix()
    for folder in ("gru", "lstm", "mha")
    for path in (HERE / folder).iterdir()
    if path.suffix in (".py", ".ipynb")
)
TORCH = sorted(path.name for path in (HERE / "torch").glob("*.py"))
UNSEEN = sorted(path.relative_to(HERE).as_posix() for path in HERE.glob("unseen/*/*.py"))
"""Written after the code of the adapters was done."""


@cache
def marker(name: str, runner: Runner) -> Marker:
    """What grades a submission of `tests/adapters` with the adapter that lies beside it."""
    path = (HERE / name).with_suffix(".yaml")
    return Marker(ROOT, yaml.safe_load(path.read_text())["assignment"], runner, adapter=path)


def handed_in(name: str, content: bytes | None = None) -> Submission:
    path = HERE / name
    file = SubmittedFile(name=path.name, content=content or path.read_bytes())
    return Submission(student="s", assignment="", path=str(path), files=(file,))


def wrong(grade: Grade) -> list[str]:
    return [
        f"{criterion.id}: {finding.case} {finding.code} {finding.facts}"
        for criterion in grade.criteria
        for finding in criterion.findings
        if finding.verdict.value != "pass"
    ]


def named(grade: Grade) -> set[str]:
    return {name for each in grade.diagnoses for ids in each.alternatives for name in ids}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_submission_in_its_own_layout_earns_everything(
    name: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())  # what nobody asks takes seconds
    grade = marker(name, runner).mark(handed_in(name))
    assert grade.possible > 0
    assert grade.earned == grade.possible, wrong(grade)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_mistake_is_caught_and_named(name: str, runner: Runner) -> None:
    planted = PLANTED[name]
    text = (HERE / name).read_text()
    assert text.count(planted["find"]) == 1
    changed = text.replace(planted["find"], planted["put"]).encode()
    grade = marker(name, runner).mark(handed_in(name, changed))
    assert grade.earned is not None and grade.earned < grade.possible
    assert planted["named"] in named(grade), (named(grade), wrong(grade))


def test_every_submission_has_a_planted_mistake() -> None:
    assert sorted(PLANTED) == RIGHT
    assert len(PLANTED) + len(RIGHT) >= 60


@pytest.mark.parametrize("name", UNSEEN)
def test_a_class_that_the_code_never_saw_passes_with_yaml_alone(
    name: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())
    grade = marker(name, runner).mark(handed_in(name))
    assert grade.possible > 0
    assert grade.earned == grade.possible, wrong(grade)


@pytest.mark.parametrize(
    ("name", "find", "put"),
    [
        ("mha/bert.py", "for_scores(self.query", "for_scores(self.key_"),
        ("mha/causal_self_attention.py", "q, k, v = self.c_attn", "k, q, v = self.c_attn"),
        ("mha/time_first_without_bias.py", "head_k, head_v = torch", "head_v, head_k = torch"),
        ("lstm/u_and_w.py", '("i", "f", "c", "o"):', '("i", "f", "c", "o"):  # as declared'),
        ("lstm/numpy_sequence.py", "i, f, o, g = np.split", "f, i, o, g = np.split"),
        ("gru/stack.py", "z, r = torch.sigmoid", "r, z = torch.sigmoid"),
    ],
)
def test_exchanged_parameters_and_an_undeclared_order_of_gates_fail(
    name: str, find: str, put: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())
    text = (HERE / "unseen" / name).read_text()
    assert text.count(find) == 1
    changed = text.replace(find, put)
    if "bert" in name:
        changed = changed.replace("for_scores(self.key(", "for_scores(self.query(")
        changed = changed.replace("for_scores(self.key_(", "for_scores(self.key(")
    if "u_and_w" in name:
        changed = changed.replace("i_t * g_t", "f_t * g_t").replace("f_t * c_t", "i_t * c_t")
    grade = marker(f"unseen/{name}", runner).mark(handed_in(f"unseen/{name}", changed.encode()))
    assert grade.earned is not None and grade.earned < grade.possible / 2 + 1


@pytest.mark.parametrize("name", TORCH)
def test_a_class_of_torch_gets_full_marks_where_it_is_not_forbidden(
    name: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())
    grade = marker(f"torch/{name}", runner).mark(handed_in(f"torch/{name}"))
    assert grade.possible > 0
    assert grade.earned == grade.possible, wrong(grade)


def test_a_package_of_several_files_with_relative_imports_is_one_submission(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())
    folder = HERE / "packages" / "mha"
    (submission,) = collect([folder], "mha").submissions
    assert {"model.py", "layers/heads.py"} <= {file.name for file in submission.files}
    grade = Marker(ROOT, "mha", runner, adapter=folder.with_suffix(".yaml")).mark(submission)
    assert grade.earned == grade.possible, wrong(grade)
