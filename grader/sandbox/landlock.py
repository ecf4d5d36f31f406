"""Which files a job may read and write, by Landlock. Untrusted side.

The rules are made once, by the process that forks, and each child takes them on. They allow
nothing to be executed, no TCP, and no signal or abstract socket to the outside.
"""

import ctypes
import os
from collections.abc import Iterable

from . import kernel

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG, MAKE_SYM = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 12
REFER, TRUNCATE = 1 << 13, 1 << 14
FILES_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files each version knows: from the first bit on."""

READING = READ_FILE | READ_DIR
SCRATCH = (
    READING | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM
) | REFER
DEVICE = READ_FILE | WRITE_FILE
NET_TCP = 0b11
SCOPES = 0b11
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """Version of Landlock here.

    Raises:
        OSError: there is none.
    """
    return kernel.call("landlock_create_ruleset", 0, 0, CREATE_RULESET_VERSION)


def rules(readable: Iterable[str], scratch: str, devices: Iterable[str]) -> int:
    """A descriptor of rules that allow reading, a scratch folder and devices, and no more.

    Args:
        readable: files and folders that may be read.
        scratch: the folder *above* the one that may be written in, so that what is mounted there
            later is covered; empty for none.
        devices: devices that may be read and written.

    Raises:
        OSError: there is no Landlock here, or a path can't be opened.
    """
    known = version()
    files = (1 << FILES_BY_VERSION.get(known, 16)) - 1
    network = NET_TCP if known >= 4 else 0
    scopes = SCOPES if known >= 6 else 0
    # Older kernels take the longer form as long as what they do not know is zero.
    handled = (ctypes.c_uint64 * 3)(files, network, scopes)
    ruleset = kernel.call("landlock_create_ruleset", handled, ctypes.sizeof(handled), 0)
    for path in readable:
        _allow(ruleset, path, (READING if os.path.isdir(path) else READ_FILE) & files)
    for path in devices:
        _allow(ruleset, path, DEVICE & files)
    if scratch:
        _allow(ruleset, scratch, SCRATCH & files)
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights, descriptor)
        kernel.call("landlock_add_rule", ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def take_on(ruleset: int) -> None:
    """Binds this thread, and every one that it starts, to the rules.

    Raises:
        OSError: it may still gain privileges.
    """
    kernel.call("landlock_restrict_self", ruleset, 0)
