"""A student's zip that is no zip, among others that are."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.zip").write_bytes(b"PK\x03\x04 and nothing else")
    return [folder]
