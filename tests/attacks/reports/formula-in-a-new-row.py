"""A name with a line break, behind which a row of its own begins."""

from tests.attacks.craft import WRONG


def build(folder, scene):
    (folder / "eve\nada,6\n=1+1").mkdir()
    (folder / "eve\nada,6\n=1+1" / "tiny.py").write_text(WRONG)
    return [folder]
