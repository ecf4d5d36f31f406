"""A name that is a formula to a spreadsheet."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "=HYPERLINK(1)").mkdir()
    (folder / "=HYPERLINK(1)" / "tiny.py").write_text(WRONG)
    return [folder]
