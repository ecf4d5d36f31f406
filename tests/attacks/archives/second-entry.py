"""A second entry of another student's name."""

import warnings

from tests.attacks.craft import RIGHT, WRONG, zipped


def build(folder, scene):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("ada/./tiny.py", WRONG))]
