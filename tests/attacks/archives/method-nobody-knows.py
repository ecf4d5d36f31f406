"""A zip whose entry is packed by a method that nobody knows."""

import zipfile

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    path = zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (zipfile.ZipInfo("eve/tiny.py"), WRONG))
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.rfind(mark) + at] = 99
    path.write_bytes(data)
    return [path]
