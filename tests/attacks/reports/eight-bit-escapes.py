"""A name with the eight-bit forms of escape codes."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve\x9b2J\x9d0;x\x9c").mkdir()
    (folder / "eve\x9b2J\x9d0;x\x9c" / "tiny.py").write_text(WRONG)
    return [folder]
