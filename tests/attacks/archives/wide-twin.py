"""Hands in under another's name, in full-width letters that compare equal."""

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("ａｄａ/tiny.py", WRONG))]
