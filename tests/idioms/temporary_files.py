import os
import tempfile

import numpy as np


def run():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.npy")
        np.save(path, np.arange(5.0))
        loaded = np.load(path)
    with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
        file.write("hello")
        file.flush()
        file.seek(0)
        text = file.read()
    with tempfile.TemporaryFile() as raw:
        raw.write(b"12")
        size = raw.tell()
    return loaded, text, size, os.path.exists(path)
