"""A named pipe in place of the module."""

import os

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve").mkdir()
    os.mkfifo(folder / "eve" / "tiny.py")
    return [folder]
