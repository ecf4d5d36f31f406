"""`grader.check` in a running Jupyter kernel."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from html_pages import read_page
from nbclient import NotebookClient
from tiny_course import RIGHT, WRONG, make_course

import grader
from grader.assignment import read_assignment
from grader.author import hand_out, release
from grader.course import Settings
from grader.errors import CourseError
from grader.notebook import as_notebook, executed, fetch
from grader.packing import packed, place
from grader.sandbox.runner import Runner

Run = Callable[..., list[nbformat.NotebookNode]]
CHECK = 'import grader\ngrader.check("tiny", lang="en")'
DOUBLE, SCALE = RIGHT.split("class", 1)
SCALE = "class" + SCALE


@pytest.fixture
def home(tmp_path: Path, runner: Runner) -> Path:
    """A student's folder."""
    assignment = read_assignment(make_course(tmp_path / "course"), "tiny")
    files = hand_out(release(assignment, "secret", runner), assignment, Settings())
    place(files, "tiny", tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def kernel(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs cells in a real kernel that works in the student's folder; gives them back."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("PYTHONPATH", str(Path(grader.__file__).parent.parent))
    monkeypatch.setenv("LANG", "C.UTF-8")

    def run(*cells: str, folder: Path = home) -> list[nbformat.NotebookNode]:
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
        context = {"metadata": {"path": str(folder)}}
        NotebookClient(made, timeout=120, kernel_name="python3", resources=context).execute()
        return made.cells

    return run


def shown(cell: nbformat.NotebookNode, kind: str = "text/plain") -> str:
    """What a cell shows of its value."""
    (output,) = [each for each in cell.outputs if each.output_type == "execute_result"]
    return output.data[kind]


def test_what_the_kernel_has_executed_is_checked_and_shown_as_a_table(kernel: Run) -> None:
    cells = kernel("x = 1", DOUBLE.replace("x + x", "x + 1"),
                   CHECK, DOUBLE, SCALE, CHECK)  # fmt: skip
    first, last = shown(cells[2]), shown(cells[-1])
    assert "Twice the input  0/2" in first and "Look first at: Twice the input" in first
    assert "All public checks pass: 6 of 6 points" in last
    page = shown(cells[2], "text/html")
    read_page("<!doctype html>" + page)
    assert "<table>" in page and "<svg" in page and "expected" in page
    ends = re.sub(r"<[^>]+>", "", page).strip().splitlines()[-1]
    assert ends == "public 1 of 6; 0.5 points are hidden or marked by hand"
    assert all(not note.get("text", "") for note in cells[-1].outputs if "text" in note)


STATE = """
import sys, random, numpy as np, torch
torch.set_default_dtype(torch.bfloat16); torch.manual_seed(7); np.random.seed(8); random.seed(9)
modules = dict(sys.modules)
table = {name: vars(torch)[name] for name in ("float32", "compile", "float")}
before = torch.get_rng_state().clone(), np.random.get_state()[1].copy(), random.getstate()
"""
UNCHANGED = """
assert torch.get_default_dtype() is torch.bfloat16
assert torch.equal(torch.get_rng_state(), before[0])
assert (np.random.get_state()[1] == before[1]).all() and random.getstate() == before[2]
assert all(sys.modules.get(name) is module for name, module in modules.items())
assert all(vars(torch)[name] is each for name, each in table.items())
assert torch.tensor(1.0).dtype is torch.bfloat16 and Scale(3).factor.dtype is torch.bfloat16
assert not [name for name in sys.modules if name in ("submission", "sandbox")]
"""


def test_the_kernel_is_left_alone(kernel: Run) -> None:
    cells = kernel(STATE, RIGHT, "import torch", CHECK, UNCHANGED)
    assert "All public checks pass" in shown(cells[3])


def test_a_loop_ends_and_an_error_is_placed_in_its_cell(kernel: Run) -> None:
    loop = RIGHT.replace("return x + x", "while True: pass")
    cells = kernel(loop, CHECK, "import torch\n\ndef double(x):\n    return x @ 1.5", CHECK)
    assert "was still running after" in shown(cells[1])
    assert "cell 3, line 4" in shown(cells[3])


def test_a_saved_file_that_is_not_what_the_kernel_ran_is_warned_of(kernel: Run, home: Path) -> None:
    warning = "What the kernel has run is not what is saved in tiny.ipynb"
    assert warning in " ".join(shown(kernel(RIGHT, CHECK)[1]).split())
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    sources = ["# %% saved\n" + DOUBLE, SCALE, CHECK]
    cells = [{"cell_type": "code", "source": source} for source in sources]
    (home / "tiny.ipynb").write_text(json.dumps({**notebook, "cells": cells}))
    assert warning not in " ".join(shown(kernel(RIGHT, CHECK)[1]).split())


def test_a_notebook_alone_fetches_what_it_needs(kernel: Run, home: Path, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in home.iterdir()}
    zipped = tmp_path / "tiny.zip"
    zipped.write_bytes(packed(files))
    colab = tmp_path / "콘텐츠"
    colab.mkdir()
    first = f'import grader\ngrader.fetch("tiny", "{zipped.as_uri()}")'
    cells = kernel(first, RIGHT, CHECK, folder=colab)
    assert "All public checks pass" in shown(cells[2]) and "is not what is saved" not in shown(
        cells[2]
    )
    assert not (colab / "tiny" / "tiny.py").exists()
    zipped.unlink()
    kernel(first, RIGHT, CHECK, folder=colab)  # there from before


def test_what_can_not_be_fetched_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match=r"none\.zip"):
        fetch("tiny", (tmp_path / "none.zip").as_uri())


def test_outside_of_a_notebook_the_saved_file_is_checked(home: Path) -> None:
    assert executed() is None
    (home / "tiny.py").write_text(WRONG)
    ran = subprocess.run(
        [sys.executable, "-c", 'import grader; print(grader.check("tiny", lang="ko"))'],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(Path(grader.__file__).parent.parent)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "먼저 살펴볼 항목: 입력의 두 배" in ran.stdout, ran.stderr


def test_importing_grader_imports_nothing_else() -> None:
    script = "import sys, grader; print([n for n in sys.modules if n.startswith('grader')])"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip() == "['grader']"
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        grader.chekc  # noqa: B018


def test_cells_become_a_submission_whose_cells_are_numbered_as_in_the_notebook() -> None:
    made = as_notebook(["a = 1", "", "b = 2"], "tiny")
    cells = json.loads(made.files[0].content)["cells"]
    assert [cell["source"] for cell in cells] == ["a = 1", "", "b = 2"]
