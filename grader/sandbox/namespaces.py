"""The namespaces of level A, of the warm process and of each job. Untrusted side, Linux only.

The warm process lives in its own user, pid, network, IPC, UTS and mount namespaces, with a root
that holds Python, libraries and three devices, all read-only. Each job gets a pid namespace, and
within it user, IPC and mount namespaces with a small folder to write in.
"""

import os
import socket
from collections.abc import Iterable

from . import kernel

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    1 << 17,
    1 << 26,
    1 << 27,
    1 << 28,
    1 << 29,
    1 << 30,
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4

ROOT_OPTIONS = b"mode=755,size=1m,nr_inodes=4096"
SCRATCH_OPTIONS = b"mode=700,size=64m,nr_inodes=4096"
JOB_FOLDER = "/job"
SCRATCH = "/job/scratch"
"""The folder that a job may write in; its parent is what Landlock's rule names."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
ROOTS = kernel.CAP_SETGID | kernel.CAP_SETUID | kernel.CAP_SYS_ADMIN
NOBODY = 65530
"""The user that a grader run by root becomes: no one's by any distribution's custom, and not 0,
which the limit on processes does not count."""
INSIDE = 65534
"""The user that a job believes to be, whoever grades."""


def unshare(flags: int) -> None:
    """Leaves the namespaces that the flags name for new ones.

    Raises:
        OSError: this process may not.
    """
    kernel.call("unshare", flags)


def privileged() -> bool:
    """Whether this is root in deed: it may mount, and become another user that exists here."""
    try:
        with open("/proc/self/status") as status:
            (line,) = (line for line in status if line.startswith("CapEff:"))
        with open("/proc/self/uid_map") as users:
            ranges = [tuple(map(int, line.split())) for line in users]
    except OSError:
        return False
    held = int(line.split()[1], 16)
    known = any(first <= NOBODY < first + count for first, _, count in ranges)
    return os.geteuid() == 0 and held & ROOTS == ROOTS and known


def become_nobody(reading_as_before: bool = False) -> None:
    """Gives up root for good.

    Args:
        reading_as_before: whether files are still opened as the user it was, without that user's
            capabilities: where Python is installed in a folder that is root's alone.

    Raises:
        OSError: this is not root, or not one that may.
    """
    kernel.empty_the_bounding_set()
    kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if reading_as_before:
        kernel.drop_capabilities(kept=kernel.CAP_SETUID)
        kernel.call("setfsuid", 0)
    kernel.prctl(kernel.PR_SET_KEEPCAPS, 0)
    kernel.drop_capabilities()


def settle(readable: Iterable[str], folder: str, proc: int) -> None:
    """Takes this process to level A's namespaces and root; its children get the pid namespace.

    Args:
        readable: files and folders that the root is to hold, under the names they have now.
        folder: an empty folder of this process's own, to build the root over.
        proc: descriptor of /proc.

    Raises:
        OSError: a step of it is refused.
    """
    if privileged():
        # With root's rights, since the way to Python may be open to root only.
        unshare(NEWNS)
        _change_root(readable, folder)
        become_nobody()
        _new_user(NEWUSER | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWNS, proc)
    else:
        _new_user(NEWUSER | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWNS, proc)
        _change_root(readable, folder)
    socket.sethostname("grader")


def _new_user(flags: int, proc: int) -> None:
    """A new user namespace, and others, whose one user and group are this process's own."""
    user, group = os.geteuid(), os.getegid()  # no longer known once they are mapped
    unshare(flags)
    # After a change of user the kernel keeps /proc/self to root, but for a process that may be
    # dumped.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE} {user} 1"),
        ("gid_map", f"{INSIDE} {group} 1"),
    ):
        descriptor = os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def _change_root(readable: Iterable[str], folder: str) -> None:
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount(b"tmpfs", folder, b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, ROOT_OPTIONS)
    for path in readable:
        _show(path, folder + path)
        _restrict(folder + path, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)
    for path in DEVICES:
        _show(path, folder + path)
        _restrict(folder + path, ATTR_NOSUID)
    os.makedirs(folder + SCRATCH)
    os.chdir(folder)
    # The old root comes to lie on top of the new one, and is taken off.
    kernel.call("pivot_root", b".", b".")
    kernel.call("umount2", b".", MNT_DETACH)
    os.chdir("/")
    kernel.call("mount_setattr", AT_FDCWD, b"/", 0, _attributes(ATTR_RDONLY), 32)


def _show(source: str, target: str) -> None:
    """Makes a file or folder of the old root visible in the new one."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    mount(os.path.realpath(source).encode(), target, None, MS_BIND | MS_REC)


def _restrict(path: str, attributes: int) -> None:
    kernel.call("mount_setattr", AT_FDCWD, path.encode(), AT_RECURSIVE, _attributes(attributes), 32)


def _attributes(added: int) -> bytes:
    """struct mount_attr: what is set, what is cleared, propagation, user namespace."""
    return added.to_bytes(8, "little") + bytes(24)


def mount(
    source: bytes | None, target: str, kind: bytes | None, flags: int, options: bytes | None = None
) -> None:
    """mount(2).

    Raises:
        OSError: the kernel refused; it names the target.
    """
    try:
        kernel.call("mount", source or 0, target.encode(), kind or 0, flags, options or 0)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} @ {target}") from error


def seclude(proc: int) -> None:
    """Takes a job's process, first of its pid namespace, to its other namespaces and scratch.

    Raises:
        OSError: a step of it is refused.
    """
    _new_user(NEWUSER | NEWNS | NEWIPC, proc)
    mount(b"tmpfs", SCRATCH, b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, SCRATCH_OPTIONS)
