"""A cell that writes a file."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(f"%%writefile {scene.folder}/home/slipped.txt\nmine"), cell(WRONG)))
    return [folder]
