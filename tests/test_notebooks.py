"""Every notebook that students get runs top to bottom in Jupyter once its holes are filled."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from grader.assignment import assignment_names
from grader.author import BEGIN, make_notebook, make_skeleton

ROOT = Path(__file__).resolve().parent.parent
NAMES = assignment_names(ROOT)


def solved(name: str) -> nbformat.NotebookNode:
    """The notebook skeleton with the reference's solutions in its holes."""
    reference = (ROOT / "reference" / f"{name}.py").read_text("utf-8")
    return nbformat.reads(make_notebook(reference, name), as_version=4)


@pytest.mark.parametrize("name", NAMES)
def test_the_solved_notebook_is_the_released_one_but_for_its_holes(name: str) -> None:
    released = nbformat.read(ROOT / "assignments" / name / f"{name}.ipynb", as_version=4)
    notebook = solved(name)
    assert any(BEGIN in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = make_skeleton(cell.source, name).removesuffix("\n")
    assert notebook == released


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_solved_notebook_runs_top_to_bottom(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    shutil.copytree(ROOT / "assignments" / name, folder)
    # The notebooks have to do without it, also where it is installed.
    (folder / "matplotlib.py").write_text("raise ImportError('left out by the test')\n")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # several threads are slower for sizes as small
    notebook = solved(name)
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    complaints = [
        output.text
        for cell in code
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert complaints == []
