"""A notebook whose cells are a number."""

def build(folder, scene):
    (folder / "eve.ipynb").write_text('{"cells": 7, "metadata": {}, "nbformat": 4}')
    return [folder]
