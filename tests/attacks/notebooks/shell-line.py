"""A cell with a shell command."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(f"!mkdir {scene.folder}/empty/escaped\n" + WRONG)))
    return [folder]
