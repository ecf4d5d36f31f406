import glob
import mmap
import os
import uuid

import numpy as np

history = []
best = None


def remember(value):
    global best
    history.append(value)
    best = max(history)


def run():
    data = np.memmap("big.dat", dtype=np.float64, mode="w+", shape=(10, 10))
    data[:] = np.arange(100).reshape(10, 10)
    data.flush()
    with open("big.dat", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        size = len(view)
    np.savez("many.npz", a=np.eye(2), b=np.ones(3))
    loaded = np.load("many.npz")
    for value in (1, 5, 3):
        remember(value)
    os.makedirs("out", exist_ok=True)
    found = sorted(glob.glob("*.npz")) + [str(os.stat("big.dat").st_size)]
    return np.array(data[3]), size, loaded["a"], best, found, len(str(uuid.uuid4()))
