"""A zip of which a few kilobytes unpack to 100 MB."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve/tiny.py", bytes(100_000_000)))]
