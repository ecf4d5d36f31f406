"""The kernel's calls that Python's standard library lacks, each an OSError when it is refused.

Untrusted side, Linux only. Bare ctypes, so that it runs between a fork and a student's code.
"""

import ctypes
import os
import sys

from .callnumbers import NUMBERS

MACHINE = os.uname().machine if sys.platform == "linux" and sys.maxsize > 2**32 else ""
"""This machine's architecture; empty where the calls below do not exist."""

CALLS = NUMBERS.get(MACHINE, {})
"""Numbers of the kernel's calls on this machine; empty where they are not known."""

LIBC = ctypes.CDLL(None, use_errno=True) if MACHINE else None

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN = 1 << 6, 1 << 7, 1 << 21
LAST_CAPABILITY = 40
CAPABILITY_VERSION_3 = 0x20080522


def call(name: str, *arguments: object) -> int:
    """A call by its name, as syscall(2) makes it; numbers go as machine words.

    Raises:
        OSError: the kernel refused, or has no such call.
    """
    if LIBC is None or name not in CALLS:
        raise OSError(38, f"{name}: not known on this machine")
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = LIBC.syscall(ctypes.c_long(CALLS[name]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int = 0) -> None:
    """prctl(2) with one argument; the options that are used here take no more."""
    call("prctl", option, value, 0, 0, 0)


def drop_capabilities(kept: int = 0) -> None:
    """Gives up every capability but the bits in `kept`, which stay permitted and effective."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
    call("capset", header, data)


def empty_the_bounding_set() -> None:
    """Sees that no program that is run later brings a capability back, as far as this may."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
        except OSError:
            break  # an older kernel knows fewer, and without CAP_SETPCAP none may be dropped


def drop_capabilities_for_good() -> None:
    """Gives up every capability, and the means of coming by one."""
    empty_the_bounding_set()
    call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    drop_capabilities()
