"""A student whose name is a script."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "<script>marks = 6").mkdir()
    (folder / "<script>marks = 6" / "tiny.py").write_text(WRONG)
    return [folder]
