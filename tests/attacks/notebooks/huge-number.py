"""A notebook with a number of a million digits."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG))[:-1] + ', "x": ' + "9" * 1_000_000 + "}")
    return [folder]
