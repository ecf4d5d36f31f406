"""Names that begin with a plus, a minus or an at sign."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "@SUM(1+1)").mkdir()
    (folder / "@SUM(1+1)" / "tiny.py").write_text(WRONG)
    return [folder]
