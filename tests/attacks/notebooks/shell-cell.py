"""A cell that is a shell script."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(f"%%bash\nmkdir {scene.folder}/empty/escaped\n"), cell(WRONG)))
    return [folder]
