"""A name with commas and quotes, which moves the columns."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve,6,\"=1").mkdir()
    (folder / "eve,6,\"=1" / "tiny.py").write_text(WRONG)
    return [folder]
