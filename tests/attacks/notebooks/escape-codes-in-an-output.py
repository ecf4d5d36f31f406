"""A cell whose output clears the instructor's terminal."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG, {"output_type": "stream", "name": "stdout", "text": ["\x1b[2J\x1b]0;all passed\x07"]})))
    return [folder]
