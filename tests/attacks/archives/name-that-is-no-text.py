"""A name of bytes that are no text."""

import os

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    name = os.fsencode(folder) + b"/eve\xff\xfe"
    os.mkdir(name)
    with open(name + b"/tiny.py", "w") as module:
        module.write(WRONG)
    return [folder]
