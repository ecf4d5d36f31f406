"""A hundred thousand minus signs before a number that double depends on."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell("y = " + "-" * 100_000 + "1\n" + WRONG.replace("x + 1", "x + y"))))
    return [folder]
