"""docs/adapters.md: what it shows is run as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_adapters import HERE

from grader.adapters.masks import CONVENTIONS
from grader.adapters.model import Entry
from grader.assignment import read_assignment
from grader.cli.adapt import proposed
from grader.collect import collect
from grader.instructor import Marker
from grader.mistakes import NoMistakes
from grader.sandbox.runner import Runner

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "adapters.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", DOCS, re.S)
YAML = re.findall(r"```yaml\n(.*?)```", DOCS, re.S)


def test_the_first_steps_of_the_guide_work_as_written(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "submissions").mkdir()
    (tmp_path / "submissions" / "ada.py").write_text(PYTHON[0])
    wrong = PYTHON[0].replace("math.sqrt(q.shape[3])", "q.shape[3]")
    (tmp_path / "submissions" / "bob.py").write_text(wrong)
    (tmp_path / "ours.yaml").write_text(YAML[0])

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grader", *words, "--course", str(ROOT)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )

    proposal = run("adapt", "mha", "submissions/ada.py", "--to", "adapters/ours.yaml")
    assert proposal.returncode == 0, proposal.stderr
    written = (tmp_path / "adapters" / "ours.yaml").read_text()
    said = yaml.safe_load(written)["entries"]["MultiHeadAttention"]
    settled = yaml.safe_load(YAML[0])["entries"]["MultiHeadAttention"]
    assert said["name"] == settled["name"] and said["params"] == settled["params"]
    assert "masks: {mask: 1 keeps}" in written
    graded = run("grade", "mha", "submissions", "--adapter", "ours.yaml")
    assert graded.returncode == 0, graded.stderr
    assert re.search(r"ada +graded +11 / 11", graded.stdout), graded.stdout
    report = (tmp_path / "results" / "mha" / "bob" / "report.html").read_text()
    assert "the weights are too even" in report


def test_the_guide_s_numpy_adapter_is_the_one_that_is_tested() -> None:
    shown = yaml.safe_load(YAML[-1])
    assert shown == yaml.safe_load((HERE / "lstm" / "numpy_step.yaml").read_text())


def test_the_guide_names_every_key_and_every_way_to_write_a_mask() -> None:
    keys = set(re.findall(r"^\| `(\w+)` \|", DOCS, re.M))
    assert keys == set(Entry.__dataclass_fields__)
    assert all(f"`{way}`" in DOCS for way in CONVENTIONS)


# -- what is proposed --------------------------------------------------------------------------


@pytest.fixture
def proposal(runner: Runner):  # type: ignore[no-untyped-def]
    def propose(name: str) -> str:
        path = HERE / name
        (submission,) = collect([path], path.parent.name).submissions
        return proposed(read_assignment(ROOT, path.parent.name), submission, runner)

    return propose


def test_what_names_say_is_proposed_and_grades_as_it_is(
    proposal,  # type: ignore[no-untyped-def]
    runner: Runner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = proposal("mha/names_lin.py")
    said = yaml.safe_load(text)["entries"]["MultiHeadAttention"]
    assert said["params"] == {"lin_Q": "w_q", "lin_K": "w_k", "lin_V": "w_v", "lin_O": "w_o"}
    monkeypatch.setattr(Marker, "mistakes", NoMistakes())
    path = tmp_path / "own.yaml"
    path.write_text(
        text + "    skip: [eight-heads, widths]\n    init: {d_model: d_model, n_heads: n_heads}\n"
    )
    (submission,) = collect([HERE / "mha" / "names_lin.py"], "mha").submissions
    grade = Marker(ROOT, "mha", runner, adapter=path).mark(submission)
    assert grade.earned == grade.possible


def test_what_could_be_several_is_left_as_a_choice(proposal) -> None:  # type: ignore[no-untyped-def]
    text = proposal("mha/names_linears.py")
    said = yaml.safe_load(text)["entries"]["MultiHeadAttention"]
    assert said["init"] == {"h": "n_heads", "d_model": "d_model"} and said["params"] is None
    assert (
        "# ? cannot adapt: linears.0 of shape (14, 14) could be w_q or w_k or w_v or w_o; declare "
        "`params.linears.0`"
    ) in text


@pytest.mark.parametrize("name", sorted(path.name for path in (HERE / "lstm").glob("gates_*.py")))
def test_an_order_of_gates_is_never_picked(proposal, name: str) -> None:  # type: ignore[no-untyped-def]
    text = proposal(f"lstm/{name}")
    sure = [line for line in text.splitlines() if not line.strip().startswith("#")]
    assert not any("weight_ih" in line or "bias" in line for line in sure)
    assert "cannot adapt: W.weight" in text and "declare `params.W.weight`" in text
