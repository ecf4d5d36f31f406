"""Code with parentheses 100,000 deep, on which the parser gives up."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell("y = " + "(" * 100_000 + ")" * 100_000), cell(WRONG)))
    return [folder]
