"""Prints a report of its own among the grader's lines."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text(RIGHT.replace("return x + x", "print('\\x1b[1A\\x1b[2Keve: 6 points')\n    return x + 1"))
    return [folder]
