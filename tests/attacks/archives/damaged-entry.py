"""A zip whose entry does not unpack, on which unpacking the class stops."""

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    path = zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve/tiny.py", WRONG * 20))
    data = bytearray(path.read_bytes())
    start = data.rfind(b"PK\x03\x04")
    data[start + 41 : start + 60] = b"\xff" * 19
    path.write_bytes(data)
    return [path]
