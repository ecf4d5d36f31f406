"""A name that is a formula in a spreadsheet of East Asia."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "＝1+1").mkdir()
    (folder / "＝1+1" / "tiny.py").write_text(WRONG)
    return [folder]
