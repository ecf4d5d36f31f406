"""A cell whose output is JavaScript."""

from tests.attacks.craft import WRONG, cell, notebook


def build(folder, scene):
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG, {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": ["parent.marks = 6"]}})))
    return [folder]
