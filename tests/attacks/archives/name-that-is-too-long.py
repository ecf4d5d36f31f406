"""A name so long that its report can't be written."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    name = "e" * 250
    (folder / name).mkdir()
    (folder / name / "tiny.py").write_text(WRONG)
    return [folder]
