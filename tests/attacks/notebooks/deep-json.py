"""A notebook of brackets, a hundred thousand deep."""

from tests.attacks.craft import RIGHT


def build(folder, scene):
    (folder / "ada").mkdir()
    (folder / "ada" / "tiny.py").write_text(RIGHT)
    (folder / "eve.ipynb").write_text('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}")
    return [folder]
