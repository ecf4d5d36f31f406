"""A cell whose output is a picture from elsewhere, which tells who looks at it."""

from tests.attacks.craft import WRONG, cell, notebook


def build(folder, scene):
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG, {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": ["<svg onload=alert(1)><image href=//127.0.0.1/></svg>"]}})))
    return [folder]
