"""A folder that is named like the module, and a file like a folder."""

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve", "a file"), ("eve/tiny.py", WRONG))]
