"""A text cell with a picture that runs code."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell("<img src=x onerror=alert(1)>", kind="markdown"), cell(WRONG)))
    return [folder]
