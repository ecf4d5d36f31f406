"""A default value that runs code when the function is defined."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell("import os\n" + WRONG.replace("double(x)", f"double(x, y=os.mkdir({str(scene.folder)!r} + '/empty/escaped'))"))))
    return [folder]
