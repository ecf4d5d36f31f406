"""A cell that runs code when the notebook is loaded."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(f"import os\nos.mkdir({str(scene.folder)!r} + '/empty/escaped')"), cell(WRONG)))
    return [folder]
