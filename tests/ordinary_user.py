"""Runs a command as an ordinary user, where the tests themselves run as root.

    python tests/ordinary_user.py COMMAND...        (as root)

Python may be installed where root only can go, as under /root: then those folders are shown to the
command alone, in a mount namespace of its own. Nothing outside of it changes.
"""

import os
import subprocess
import sys
from pathlib import Path

from grader.sandbox import namespaces

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534


def as_ordinary_user(*command: str, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
    """What a command gives that is run as nobody; as this user, where that is not root."""
    before = [sys.executable, __file__] if os.geteuid() == 0 else []
    return subprocess.run(
        [*before, *command], cwd=ROOT, capture_output=True, text=True, timeout=seconds
    )


def _closed_above(path: str) -> str:
    """The outermost folder on the way to `path` that others may not enter; empty for none."""
    way = ""
    for part in Path(path).parts[1:]:
        way += f"/{part}"
        if not os.stat(way).st_mode & 0o001:
            return way
    return ""


def _show(path: str) -> None:
    """Makes `path` open to all in this mount namespace, and what else is in its way empty."""
    if closed := _closed_above(path):
        held = os.open(path, os.O_PATH)
        namespaces.mount(b"tmpfs", closed, b"tmpfs", 0, b"mode=755")
        os.makedirs(path, exist_ok=True)
        namespaces.mount(f"/proc/self/fd/{held}".encode(), path, None, namespaces.MS_BIND)
        os.close(held)


def main() -> None:
    """Becomes nobody, and the command."""
    namespaces.unshare(namespaces.NEWNS)
    namespaces.mount(None, "/", None, namespaces.MS_REC | namespaces.MS_PRIVATE)
    for path in (sys.base_prefix, sys.prefix, str(ROOT)):
        _show(os.path.realpath(path))
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    os.execvpe(sys.argv[1], sys.argv[1:], {**kept, "HOME": "/nonexistent", "TMPDIR": "/tmp"})


if __name__ == "__main__":
    main()
