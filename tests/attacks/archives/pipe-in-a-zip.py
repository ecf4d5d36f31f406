"""A zip with a named pipe, on which whoever reads it waits."""

import zipfile

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    pipe = zipfile.ZipInfo("eve/tiny.py")
    pipe.external_attr = 0o010644 << 16
    return [zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), (pipe, ""))]
