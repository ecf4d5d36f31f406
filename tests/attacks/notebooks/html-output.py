"""A cell whose output is HTML with a script."""

from tests.attacks.craft import WRONG, cell, notebook


def build(folder, scene):
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG, {"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<script>parent.marks = 6</script>"]}})))
    return [folder]
