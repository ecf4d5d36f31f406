"""A zip whose entry leads out by backslashes."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    up = "..\\" * 12 + str(scene.folder).lstrip("/").replace("/", "\\")
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (up + "\\home\\slipped.txt", "mine"))]
