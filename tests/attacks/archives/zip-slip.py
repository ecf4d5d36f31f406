"""A zip whose entry leads out of its folder, to a file of the instructor's."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    up = "../" * 12 + str(scene.folder).lstrip("/")
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (up + "/home/slipped.txt", "mine"))]
