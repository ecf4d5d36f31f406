"""A notebook with a cell whose source is a mapping."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook({"cell_type": "code", "source": 7}, cell(WRONG)))
    return [folder]
