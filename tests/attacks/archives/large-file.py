"""A module of 60 MB."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve").mkdir()
    (folder / "eve" / "tiny.py").write_text(WRONG + "#" * 60_000_000)
    return [folder]
