"""A zip in a zip in a zip, each of which unpacks to more."""

from tests.attacks.craft import RIGHT, link, zipped


def build(folder, scene):
    for depth in range(3):
        inner = [("eve/inner.zip", (folder / "inner.zip").read_bytes())] if depth else []
        zipped(folder / "inner.zip", *inner, (f"eve/part-{depth}.py", bytes(35_000_000)))
    content = (folder / "inner.zip").read_bytes()
    (folder / "inner.zip").unlink()
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve/work.zip", content))]
