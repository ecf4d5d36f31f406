"""Hands in weights that run code when they are loaded."""

import os
import pickle

from tests.attacks.craft import RIGHT, WRONG


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve").mkdir()
    (folder / "eve" / "tiny.py").write_text(WRONG)
    made = pickle.dumps(Loaded(str(scene.folder / "empty" / "unpickled")), 2)
    (folder / "eve" / "weights.pt").write_bytes(made)
    return [folder]


class Loaded:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)
