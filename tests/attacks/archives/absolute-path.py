"""A zip whose entry names an absolute path."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (str(scene.folder / "home" / "slipped.txt"), "mine"))]
