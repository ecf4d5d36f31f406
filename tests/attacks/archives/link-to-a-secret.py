"""A zip with a link to a file of the instructor's in place of the module."""

from tests.attacks.craft import RIGHT, link, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (link("eve/tiny.py"), str(scene.folder / "home" / "notes.txt")))]
