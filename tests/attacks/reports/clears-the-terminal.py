"""A name that clears the instructor's terminal and sets its title."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve\x1b[2J\x1b]0;all passed\x07").mkdir()
    (folder / "eve\x1b[2J\x1b]0;all passed\x07" / "tiny.py").write_text(WRONG)
    return [folder]
