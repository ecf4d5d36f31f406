"""A number of a million digits in the code."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text("x = " + "9" * 1_000_000 + "\n" + WRONG.replace("x + 1", "x + 1"))
    return [folder]
