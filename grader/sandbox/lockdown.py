"""The levels of isolation: what each is made of, which one can be had here. Untrusted side.

    A  namespaces, Landlock, seccomp and limits
    B  Landlock, seccomp and limits
    E  limits only

The process that forks enters a level once (`enter`), and each child shuts itself in (`shut_in`)
before it reads a line of student code. Whether a level can be had is found out by doing all of it
in a process that is thrown away (`probe`): some hosts let the first step succeed and refuse a later
one.
"""

import os
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import kernel, landlock, namespaces, seccomp

LEVELS = ("A", "B", "E")
"""From the strictest."""
SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
"""Where libraries and time zones are, on the systems that have such folders."""
NO_SCRATCH = "/"
"""Where a job stands on level B, which has no folder to write in."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level that was entered, and what its children need for theirs."""

    name: str
    """"A", "B" or "E"."""
    proc: int = -1
    """Descriptor of the /proc in which the trusted side looks; -1 where there is none."""
    pids: int = -1
    """Descriptor of the forking process's own pid namespace, on level A."""
    ruleset: int = -1
    """Descriptor of Landlock's rules."""
    program: seccomp.Program | None = None
    """The filter of calls."""
    root: bool = False
    """Whether its children have root's rights to give up, on level B."""
    closed: bool = False
    """Whether only this process's user may read Python's own files, on level B."""


def readable() -> list[str]:
    """Files and folders that a job may read: Python's own, installed packages and libraries.

    None lies in another one.
    """
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    named |= {os.path.join(sys.base_prefix, "lib"), *SYSTEM, *_loaded_from()}
    found: list[str] = []
    for path in sorted(path for path in named if os.path.isdir(path) and path != "/"):
        if not any(path.startswith(each + "/") for each in found):
            found.append(path)
    return found


def _loaded_from() -> set[str]:
    """Folders of the libraries that are loaded now, wherever a distribution keeps them."""
    try:
        with open("/proc/self/maps") as maps:
            files = [line.split(maxsplit=5)[5].rstrip("\n") for line in maps if ".so" in line]
    except OSError:
        return set()
    return {os.path.dirname(file) for file in files if file.startswith("/")}


def _open_to_all(paths: Iterable[str]) -> bool:
    """Whether every user may read these folders, by the modes of all on the way to them."""
    for path in paths:
        way = os.path.realpath(path)
        while way != "/":
            if not os.stat(way).st_mode & 0o001:
                return False
            way = os.path.dirname(way)
    return True


def probe() -> tuple[str, dict[str, str]]:
    """The strictest level that can be had, and why those above it can't."""
    refused: dict[str, str] = {}
    for name in LEVELS[:-1]:
        refusal = _try_out(name)
        if refusal is None:
            return name, refused
        refused[name] = refusal
    return LEVELS[-1], refused


def _try_out(name: str) -> str | None:
    """Why a level can't be had, after doing all of it in a process that is thrown away."""
    if not kernel.CALLS:
        return f"not tried on {sys.platform}"
    with tempfile.TemporaryDirectory(prefix="grader-probe-") as folder:
        answer = _in_a_child(lambda: _rehearse(name, folder))
    return None if answer == "+" else answer or "the attempt died"


def _in_a_child(what: Callable[[], None], pid_of: Callable[[], int] = os.fork) -> str:
    """What a forked process says of a task: "+", why the kernel refused, or nothing if it died."""
    reading, writing = os.pipe()
    pid = pid_of()
    if pid == 0:
        try:
            what()
            os.write(writing, b"+")
        except OSError as error:
            os.write(writing, (error.strerror or str(error)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as said:
        answer = said.read().decode(errors="replace")
    os.waitpid(pid, 0)
    return answer


def _rehearse(name: str, folder: str) -> None:
    """Enters a level, and sees that a job on it can do what it must and not what it must not."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    entered = enter(name, folder)

    def job() -> None:
        os.chdir(prepare(entered, folder))
        shut_in(entered)
        _inspect(entered)

    answer = _in_a_child(job, lambda: fork(entered))
    if answer != "+":
        raise OSError(answer or "a job died on being shut in")


def _inspect(level: Level) -> None:
    """Tries what a job has to be able to do, and what it must not."""
    os.listdir(os.path.dirname(os.__file__))
    os.listdir(sysconfig.get_path("purelib"))
    if level.name == "A":
        with open("probe", "w") as file:
            file.write("x")
    for path in ("/proc", "/etc", "/home", "/tmp"):
        try:
            os.listdir(path)
        except OSError:
            continue
        raise OSError(f"{path} can still be read")
    try:
        os.fork()
    except PermissionError:
        return
    raise OSError("a process can still be made")


def enter(name: str, folder: str) -> Level:
    """Takes this process to a level.

    On level A it returns in a child, the first of its pid namespace; this process then only waits
    for that child and ends with it.

    Args:
        name: the level.
        folder: an empty folder of this process's own.

    Raises:
        OSError: the level can't be had.
    """
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY) if os.path.isdir("/proc") else -1
    if name == "E":
        return Level(name=name, proc=proc)
    program, paths = seccomp.program(), readable()
    if name == "B":
        ruleset = landlock.rules(paths, "", namespaces.DEVICES)
        return Level(
            name=name,
            proc=proc,
            ruleset=ruleset,
            program=program,
            root=namespaces.privileged(),
            closed=not _open_to_all(paths),
        )
    namespaces.settle(paths, folder, proc)
    _end_with_the_parent()
    pid = os.fork()
    if pid != 0:
        os.closerange(0, 4096)
        os.waitpid(pid, 0)
        os._exit(0)
    _end_with_the_parent()
    pids = os.open("self/ns/pid", os.O_RDONLY, dir_fd=proc)
    ruleset = landlock.rules(paths, namespaces.JOB_FOLDER, namespaces.DEVICES)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return Level(name=name, proc=proc, pids=pids, ruleset=ruleset, program=program)


def _end_with_the_parent() -> None:
    """To be said again after every fork and change of user, which forget it."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def fork(level: Level) -> int:
    """A child, on level A the first of a new pid namespace: its pid here, or 0 in it.

    Raises:
        OSError: none can be made now.
    """
    if level.name != "A":
        return os.fork()
    namespaces.unshare(namespaces.NEWPID)
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            # The next new namespace is made in this process's own, not in the one just made.
            kernel.call("setns", level.pids, namespaces.NEWPID)
    return pid


def outer_pid(level: Level) -> int:
    """This process's id as the trusted side knows it."""
    return int(os.readlink("self", dir_fd=level.proc)) if level.proc >= 0 else os.getpid()


def address_space_bytes(level: Level) -> int:
    """What this process has mapped already: torch itself, which no submission should pay for."""
    descriptor = os.open("self/statm", os.O_RDONLY, dir_fd=level.proc)
    try:
        return int(os.read(descriptor, 200).split()[0]) * os.sysconf("SC_PAGESIZE")
    finally:
        os.close(descriptor)


def prepare(level: Level, scratch: str) -> str:
    """First half of a child's lock-down: its user and namespaces; the folder that it works in.

    Args:
        level: what was entered.
        scratch: a folder of its own, for level E.

    Raises:
        OSError: a step of it is refused.
    """
    if level.name == "A":
        namespaces.seclude(level.proc)
        return namespaces.SCRATCH
    if level.name == "B":
        if level.root:
            namespaces.become_nobody(level.closed)
        return NO_SCRATCH
    return scratch


def shut_in(level: Level) -> None:
    """Second half: no capabilities, no way to new ones, Landlock and seccomp.

    Raises:
        OSError: a step of it is refused.
    """
    if level.program is None:
        return
    kernel.drop_capabilities_for_good()
    _end_with_the_parent()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    landlock.take_on(level.ruleset)
    os.close(level.ruleset)
    seccomp.install(level.program)
