"""A kernel whose name is a script."""

from tests.attacks.craft import RIGHT, WRONG, cell, notebook


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text(notebook(cell(WRONG), kernelspec={"display_name": "<script>1</script>", "name": "<script>", "language": "<script>"}, title="<script>"))
    return [folder]
