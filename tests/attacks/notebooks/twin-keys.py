"""A notebook that holds its cells twice, and something else in between."""

def build(folder, scene):
    (folder / "eve.ipynb").write_text('{"cells": [], "cells": null, "metadata": null, "nbformat": "x"}')
    return [folder]
