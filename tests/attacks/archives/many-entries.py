"""A zip of 60,000 empty files."""

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    entries = [(f"eve/{number}.py", "") for number in range(60_000)]
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), *entries)]
