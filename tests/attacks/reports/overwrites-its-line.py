"""A name with a carriage return, which overwrites the line of its mark."""

from tests.attacks.craft import WRONG


def build(folder, scene):
    (folder / "eve\rada").mkdir()
    (folder / "eve\rada" / "tiny.py").write_text(WRONG)
    return [folder]
