"""A standby process: torch imported, waiting for the one job that it will do. Untrusted side.

Where there is no fork (Windows), or where fork is not safe after torch was imported (macOS). It
starts as `python zygote.py standby`, says what it is, reads a job and then plans from stdin, each
as its length and its bytes, and answers on stdout; what the submission prints goes to stderr. The
end of stdin ends it, whatever it is at.
"""

import importlib
import json
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from . import worker

LENGTH_BYTES = 8


def main(training: bool) -> None:
    """Warms up, says so, does one job and ends."""
    asked, results = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    for descriptor in (asked, results, 1, 2):
        binary(descriptor)
    worker.warm_up(training)
    worker.portable()
    torch, numpy = sys.modules["torch"], sys.modules["numpy"]
    told = json.dumps({"torch": torch.__version__, "numpy": numpy.__version__}).encode()
    worker.write_all(results, len(told).to_bytes(LENGTH_BYTES) + told)
    messages: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=listen, args=(asked, messages), daemon=True).start()
    limits = json.loads(messages.get())
    os.chdir(limits["scratch"])
    tempfile.tempdir = os.environ["HOME"] = os.environ["TMPDIR"] = limits["scratch"]
    limit(limits)
    plans = iter(messages.get, None)
    worker.work(next(plans), plans, lambda frame: worker.write_all(results, frame))


def listen(descriptor: int, messages: "queue.Queue[bytes]") -> None:
    """Passes on each message; nobody is there any more when there are none."""
    for message in received(descriptor):
        messages.put(message)
    os._exit(0)


def received(descriptor: int) -> Iterator[bytes]:
    """Messages, each behind its length, until the pipe ends."""
    while len(head := exactly(descriptor, LENGTH_BYTES)) == LENGTH_BYTES:
        yield exactly(descriptor, int.from_bytes(head))


def exactly(descriptor: int, count: int) -> bytes:
    """That many bytes; fewer where the pipe ends."""
    data = bytearray()
    while len(data) < count and (more := os.read(descriptor, min(count - len(data), 1 << 20))):
        data += more
    return bytes(data)


def binary(descriptor: int) -> None:
    """Keeps Windows from changing line ends on the way."""
    if sys.platform == "win32":
        importlib.import_module("msvcrt").setmode(descriptor, os.O_BINARY)


def limit(limits: dict[str, Any]) -> None:
    """Takes on what limits the system knows: none on Windows, where only the clock is kept."""
    try:
        resource: Any = importlib.import_module("resource")
    except ImportError:
        return
    wanted = {"RLIMIT_CPU": "cpu_seconds", "RLIMIT_FSIZE": "file_bytes"}
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            mapped = int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")
        limits = {**limits, "memory_bytes": limits["memory_bytes"] + mapped}
        wanted["RLIMIT_AS"] = "memory_bytes"
    for name, key in wanted.items():
        which = getattr(resource, name)
        _, hard = resource.getrlimit(which)
        bound = limits[key] if hard == resource.RLIM_INFINITY else min(limits[key], hard)
        resource.setrlimit(which, (bound, bound))
