"""A file name that is a picture which runs code."""

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "<img src=x onerror=alert(1)>.py").write_text(WRONG)
    return [folder]
