"""A zip whose 100 entries all unpack the same megabyte."""

import copy
import zipfile

from tests.attacks.craft import RIGHT, zipped


def build(folder, scene):
    path = zipped(folder / "class.zip", ("ada/tiny.py", RIGHT), ("eve/part-000.py", bytes(1_000_000)))
    with zipfile.ZipFile(path, "a") as archive:
        first = archive.getinfo("eve/part-000.py")
        for number in range(1, 100):
            entry = copy.copy(first)
            entry.filename = entry.orig_filename = f"eve/part-{number:03}.py"
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
        archive._didModify = True
    return [path]
