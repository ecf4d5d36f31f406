"""Blocks within blocks, 90 deep, and cells that never end."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell("\n".join(" " * n + "if 1:" for n in range(2000)) + "\n"), cell(WRONG + "\nif double:\n" + "\n".join(" " * n + "if x:" for n in range(1, 99)))))
    return [folder]
