"""The warm process that forks one child for each job. Untrusted side; runs no student code itself.

Started by `warm` as `python -I -B zygote.py SOCKET_FD LEVEL`, by the path of this file, so that
nothing of the trusted side comes along. It imports torch and NumPy once, with one thread, is told
whether optimisers are to be warmed too ({"training": true}), goes to the asked level of isolation
("best" is the strictest that can be had), says which that is, and then answers requests on its
socket (SOCK_SEQPACKET, JSON):

    {"fork": id, "limits": {...}, "scratch": folder, "asked": seconds of the monotonic clock}, with
        four descriptors: job, results, output, status
    {"kill": id}

On the status descriptor the child writes its pid, before it reads the job, and the zygote, when the
child has ended and its whole tree is gone, its wait status and CPU seconds. The socket's end ends
the zygote and every child. `zygote.py probe` prints the strictest level and why no stricter one;
`zygote.py standby` is one process for one job, where there is no fork (see `waiting.py`).
"""

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import sysconfig
import tempfile
import time
import traceback
import types
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # where there is no Unix, nothing is forked
    pass

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
MESSAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Child:
    """One running job."""

    pid: int
    """Process id; not reused before this process reaps it."""
    status: int
    """Descriptor on which its end is told."""


def main(descriptor: int, asked: str) -> None:
    """Warms up, shuts itself in, says so, and serves until the socket ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # What is imported stays: to look through it for garbage takes a sixth of the start.
    gc.disable()
    control = socket.socket(fileno=descriptor)
    lockdown = untrusted("lockdown")
    level, refused = lockdown.probe() if asked == "best" else (asked, {})
    worker = untrusted("worker")
    wanted = control.recv(MESSAGE_BYTES)
    if not wanted:
        return
    worker.warm_up(json.loads(wanted)["training"])
    worker.portable()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    try:
        entered = lockdown.enter(level, tempfile.mkdtemp())
    except OSError as error:
        control.send(json.dumps({"refused": {level: str(error)}}).encode())
        return
    told = {
        "ready": os.getpid(),
        "threads": threads,
        "torch": sys.modules["torch"].__version__,
        "numpy": sys.modules["numpy"].__version__,
        "level": level,
        "refused": refused,
        "readable": lockdown.readable() if level != "E" else ["/"],
    }
    gc.freeze()
    gc.enable()
    control.send(json.dumps(told).encode())
    serve(control, worker, lockdown, entered)


def prctl(option: int, value: int) -> None:
    """Linux's prctl(2); elsewhere nothing, and the runner's own clean-up has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def import_only_installed_packages() -> None:
    """Takes off the import path whatever a .pth file put there, such as the course's own folder.

    An editable install would else let a submission import `reference`.
    """
    installed = {
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    dynamic = {entry for entry in sys.path if entry.endswith("lib-dynload")}
    sys.path[:] = [entry for entry in sys.path if entry in installed | dynamic]
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, PathFinder]


def untrusted(name: str) -> Any:
    """A module of the untrusted half of this folder, as of a package without the one around it."""
    if "sandbox" not in sys.modules:
        import_only_installed_packages()
        package = types.ModuleType("sandbox")
        package.__path__ = [str(Path(__file__).resolve().parent)]
        sys.modules["sandbox"] = package
    return importlib.import_module(f"sandbox.{name}")


def serve(control: socket.socket, worker: Any, lockdown: Any, level: Any) -> None:
    """Forks, kills and reaps until the socket ends."""
    children: dict[int, Child] = {}
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        if control.fileno() in ready:
            message, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 4)
            if not message:
                for child in children.values():
                    kill_tree(child.pid)
                return
            request = json.loads(message)
            if "kill" in request:
                if request["kill"] in children:
                    kill_tree(children[request["kill"]].pid)
            else:
                made = fork(request, fds, worker, lockdown, level)
                if made is not None:
                    children[request["fork"]] = made
        reap(children)


def fork(
    request: dict[str, Any], fds: list[int], worker: Any, lockdown: Any, level: Any
) -> Child | None:
    """One child at work, None where none could be made; the parent keeps the status descriptor."""
    job, results, output, status = fds
    try:
        pid = lockdown.fork(level)
    except OSError as error:
        tell(status, {"unforked": str(error)})
        for descriptor in fds:
            os.close(descriptor)
        return None
    if pid == 0:
        try:
            forked = time.monotonic()
            tell(status, {"pid": lockdown.outer_pid(level)})
            be_child(request["limits"], request["scratch"], fds, lockdown, level)
            shut_in = time.monotonic()
            took = {"fork": forked - request["asked"], "lock-down": shut_in - forked}
            data = os.pread(job, os.fstat(job).st_size, 0)
            talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, results)
            worker.work(data, worker.received(talk), lambda f: worker.write_all(results, f), took)
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - the boundary: nothing may return into the zygote's loop
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    for descriptor in (job, results, output):
        os.close(descriptor)
    return Child(pid=pid, status=status)


def tell(descriptor: int, message: dict[str, Any]) -> None:
    """One line to the runner, who may have gone already."""
    try:
        os.write(descriptor, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        pass


def be_child(
    limits: dict[str, int], scratch: str, fds: list[int], lockdown: Any, level: Any
) -> None:
    """Shuts itself in: one session, no descriptor but its own, limits, and what the level has.

    Signals are as a fresh process has them.
    """
    job, results, output, _ = fds
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    memory_bytes = limits["memory_bytes"]
    if sys.platform == "linux":
        memory_bytes += lockdown.address_space_bytes(level)
    folder = lockdown.prepare(level, scratch)
    os.chdir(folder)
    tempfile.tempdir = os.environ["HOME"] = os.environ["TMPDIR"] = folder
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    keep = sorted({job, results, level.ruleset} - {-1})
    for low, high in zip([2, *keep], [*keep, 4096], strict=True):
        os.closerange(low + 1, high)
    sys.stdout = open(1, "w", buffering=1, errors="replace", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="replace", closefd=False)
    if sys.platform == "linux":
        lower("RLIMIT_AS", memory_bytes)
    for name, soft in (
        ("RLIMIT_CPU", limits["cpu_seconds"]),
        ("RLIMIT_FSIZE", limits["file_bytes"]),
        ("RLIMIT_NOFILE", 256),
        ("RLIMIT_NPROC", 512),
        ("RLIMIT_CORE", 0),
    ):
        lower(name, soft)
    lockdown.shut_in(level)


def lower(name: str, bound: int) -> None:
    """Sets a limit, never above the hard one that is in force."""
    which = getattr(resource, name)
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(which, (bound, bound))


def children_of(pid: int) -> list[int]:
    """Direct children, as the kernel lists them."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def kill_tree(pid: int) -> None:
    """Stops every process below `pid`, so that none can fork, then kills them all.

    A descendant that left the session is still found: children are their own subreapers, so
    orphans stay below them.
    """
    stopped: list[int] = []
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        if signalled(process, signal.SIGSTOP):
            stopped.append(process)
            waiting += [child for child in children_of(process) if child not in stopped]
    for process in reversed(stopped):
        signalled(process, signal.SIGKILL)


def signalled(pid: int, number: signal.Signals) -> bool:
    """Whether the process was there to be signalled."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def reap(children: dict[int, Child]) -> None:
    """Kills what a job that has ended left behind, then tells its end."""
    jobs = {child.pid: job for job, child in children.items()}
    ended: list[tuple[Child, dict[str, Any]]] = []
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        if pid not in jobs:
            continue
        seconds = usage.ru_utime + usage.ru_stime
        ended.append((children.pop(jobs[pid]), {"status": status, "cpu_seconds": seconds}))
    working = {child.pid for child in children.values()}
    for orphan in children_of(os.getpid()):
        if orphan not in working:
            kill_tree(orphan)
    for child, end in ended:
        tell(child.status, end)
        os.close(child.status)


def probe() -> None:
    """Prints what can be had here, without torch."""
    lockdown = untrusted("lockdown")
    level, refused = lockdown.probe()
    readable = lockdown.readable() if level != "E" else ["/"]
    print(json.dumps({"level": level, "refused": refused, "readable": readable}))


if __name__ == "__main__":
    if sys.argv[1] == "probe":
        probe()
    elif sys.argv[1] == "standby":
        untrusted("waiting").main(sys.argv[2] == "training")
    else:
        main(int(sys.argv[1]), sys.argv[2])
        # To take torch down in order takes 0.3 s, for which the grader would wait.
        os._exit(0)
