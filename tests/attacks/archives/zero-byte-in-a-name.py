"""A name with a zero byte, behind which everything is cut."""

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    path = zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("ada/tiny.pyX.py", WRONG))
    path.write_bytes(path.read_bytes().replace(b"ada/tiny.pyX.py", b"ada/tiny.py\0.py"))
    return [path]
