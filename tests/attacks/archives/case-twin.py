"""Hands in under another's name, in other letters."""

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    scene.honest = "Ada"
    return [zipped(folder / "class.zip", ("Ada/tiny.py", RIGHT), ("ada/tiny.py", WRONG))]
