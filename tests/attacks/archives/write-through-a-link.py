"""A zip with a link to a folder, and then a file in that folder."""

from tests.attacks.craft import RIGHT, link, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (link("eve"), str(scene.folder / "home")), ("eve/slipped.txt", "mine"))]
