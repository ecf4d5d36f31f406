"""A cell whose traceback holds a script."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG, {"output_type": "error", "ename": "<script>", "evalue": "<script>", "traceback": ["<script>1</script>"]})))
    return [folder]
