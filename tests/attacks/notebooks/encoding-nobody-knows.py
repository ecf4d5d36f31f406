"""A module in an encoding that nobody knows."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.py").write_text("# -*- coding: nobody-knows -*-\n" + WRONG)
    return [folder]
