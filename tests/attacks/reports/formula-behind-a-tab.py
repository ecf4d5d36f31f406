"""A name that begins with a tab and a formula."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "\t=1+1").mkdir()
    (folder / "\t=1+1" / "tiny.py").write_text(WRONG)
    return [folder]
