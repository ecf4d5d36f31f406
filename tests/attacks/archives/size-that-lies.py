"""A zip whose entry says that it holds ten bytes."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    path = zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve/tiny.py", bytes(100_000_000)))
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.rfind(mark)
        data[start + at : start + at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    return [path]
