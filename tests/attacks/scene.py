"""Where an attack takes place: what it may want to read, change, signal or be heard by.

Everything here is made for one attack and looked at from outside: nothing that a submission says of
its own success is believed, except that it could not have known the token or the canary.
"""

import ctypes
import hashlib
import itertools
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.course import RIGHT, make_course

CALL = ctypes.CDLL(None, use_errno=True).syscall
STAYS_SECONDS = 9
"""How long an exhaustion attack lasts when nobody stops it."""


class Listeners:
    """What listens on this machine, for every attack of a run; hears, and never answers."""

    def __init__(self, folder: Path):
        self.heard = b""
        self.path, self.datagram_path = folder / "listener.sock", folder / "listener.dgram"
        self.abstract = f"grader-attacks-{secrets.token_hex(4)}"
        self._selector = selectors.DefaultSelector()
        tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        udp = self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.tcp, self.udp = tcp.getsockname()[1], udp.getsockname()[1]
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, str(self.path))
        self._listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(self.datagram_path))
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract}")
        threading.Thread(target=self._hear, name="listeners", daemon=True).start()

    def _listen(self, family: int, kind: int, address: Any) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen(64)
        self._selector.register(made, selectors.EVENT_READ, kind == socket.SOCK_STREAM)
        return made

    def _hear(self) -> None:
        while True:
            for key, _ in self._selector.select():
                source: Any = key.fileobj
                try:
                    if key.data:
                        self._selector.register(source.accept()[0], selectors.EVENT_READ, False)
                        continue
                    data = source.recv(65536)
                except OSError:
                    data = b""
                self.heard += data
                if not data and source.type == socket.SOCK_STREAM:
                    self._selector.unregister(source)
                    source.close()


@dataclass
class Scene:
    """One attack's surroundings."""

    folder: Path
    listeners: Listeners
    installed: Path
    """Folder of installed packages that may be attacked: a copy."""
    canary: str = field(default_factory=lambda: f"CANARY{secrets.token_hex(6)}")
    token: str = field(default_factory=lambda: f"TOKEN{secrets.token_hex(6)}")
    key: int = field(default_factory=lambda: 0x47000000 + secrets.randbelow(1 << 24))
    victim: "subprocess.Popen[bytes] | None" = None
    honest: str = "ada"
    """Who hands in honestly beside an archive or notebook; a builder may say otherwise."""
    queue: int = -1
    _segment: int = -1
    _borrowed: list[Path] = field(default_factory=list)
    _before: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.canary_bytes = ctypes.create_string_buffer(self.canary.encode())
        parts = ("submissions/ada", "home/.ssh", "results", "empty", "packages/torchlike")
        for part in parts:
            (self.folder / part).mkdir(parents=True)
        make_course(self.folder / "course", self.canary)
        for name, text in {
            f"submissions/ada/{self.canary}.py": "",
            "submissions/ada/tiny.py": f"# {self.canary}\n{RIGHT}",
            "home/.ssh/id_ed25519": f"-----BEGIN KEY-----\n{self.canary}\n",
            "home/notes.txt": f"{self.canary}\n",
            "results/grades.json": f'{{"ada": 6, "canary": "{self.canary}"}}\n',
            "results/gradebook.db": f'{{"hidden": "{self.canary}"}}\n',
            "packages/torchlike/__init__.py": "version = 1\n",
        }.items():
            (self.folder / name).write_text(text)
        self.size = 5000 + secrets.randbelow(1 << 20)
        (self.folder / "home" / "sized").write_bytes(bytes(self.size))
        self._unlinked = os.open(self.folder / "unlinked", os.O_RDWR | os.O_CREAT, 0o600)
        os.write(self._unlinked, self.canary.encode())
        (self.folder / "unlinked").unlink()

    def filled(self, source: str) -> str:
        """A submission with this scene's names in place of the marks that it holds."""
        if "@VICTIM@" in source and self.victim is None:
            self.victim = subprocess.Popen(
                [self.canary, "3600"], executable="/bin/sleep", start_new_session=True
            )
        if "@KEY@" in source:
            self._share_memory()
        if "keyring" in source:
            CALL(248, b"user", self.name.encode(), self.canary.encode(), len(self.canary), -4)
        if "/dev/shm" in source:
            Path("/dev/shm", self.name).write_text(self.canary)
        if "@NAME@-module" in source:
            (self.installed / f"{self.name}-module.py").write_text("version = 1\n")
        if "grader-job-" in source:
            scratch = Path(tempfile.mkdtemp(prefix="grader-job-of-a-neighbour-"))
            (scratch / "work.txt").write_text(self.canary)
            self._borrowed.append(scratch)
        marks = {
            "SCENE": self.folder,
            "VICTIM": self.victim.pid if self.victim else 0,
            "GRADER": os.getpid(),
            "ADDRESS": ctypes.addressof(self.canary_bytes),
            "DESCRIPTOR": self._unlinked,
            "TCP": self.listeners.tcp,
            "UDP": self.listeners.udp,
            "ABSTRACT": self.listeners.abstract,
            "STREAM": self.listeners.path,
            "DATAGRAM": self.listeners.datagram_path,
            "INSTALLED": self.installed,
            "NAME": self.name,
            "KEY": self.key,
            "STAYS": STAYS_SECONDS,
            # Backwards, so that a report that quotes the line does not hold them.
            "TOKEN": self.token[::-1],
            "CANARY": self.canary[::-1],
        }
        for mark, value in marks.items():
            source = source.replace(f"@{mark}@", str(value))
        return source

    @property
    def name(self) -> str:
        """A name for what has no folder: shared memory, a key, a queue, a planted package."""
        return f"grader-attack-{self.folder.name}-{self.token[-6:].lower()}"

    def _share_memory(self) -> None:
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        segment = libc.shmget(self.key, 4096, 0o1600)
        address = libc.shmat(segment, None, 0)
        if segment >= 0 and address not in (None, ctypes.c_void_p(-1).value):
            ctypes.memmove(address, self.canary.encode(), len(self.canary))
        self._segment = segment
        self.queue = libc.msgget(self.key, 0o1600)

    def received(self) -> bool:
        """Whether a message came through the queue that other processes of this user may open."""
        buffer = ctypes.create_string_buffer(256)
        got = ctypes.CDLL(None).msgrcv(self.queue, buffer, 200, 0, 0o4000)
        return got > 0 and self.canary.encode() in buffer.raw

    def ready(self) -> None:
        """Remembers how everything looks before the attack."""
        self._before = self._state()
        self._before_victim = self.victim_state()

    def changed(self) -> list[str]:
        """Files of the scene, and of the installed packages, that are not as they were."""
        after = self._state()
        return sorted(
            name for name in {*self._before, *after} if self._before.get(name) != after.get(name)
        )

    def _state(self) -> dict[str, Any]:
        kept = {}
        named = self.installed.glob(f"{self.name}*")
        for path in itertools.chain(self.folder.rglob("*"), named):
            if not path.is_relative_to(self.folder / "mine"):
                kept[str(path)] = _state_of(path)
        return kept

    def victim_state(self) -> tuple[Any, ...]:
        """All of the victim that a signal or a call on another process can change."""
        if self.victim is None:
            return ()
        pid = self.victim.pid
        if self.victim.poll() is not None:
            return ("ended", self.victim.returncode)
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            stopped = fields[0] in "Tt"
            limits = Path(f"/proc/{pid}/limits").read_text()
            oom = Path(f"/proc/{pid}/oom_score_adj").read_text()
            policy, processors = os.sched_getscheduler(pid), os.sched_getaffinity(pid)
            return (stopped, fields[16], limits, oom, CALL(252, 1, pid), policy, processors)
        except OSError as error:
            return ("gone", error.errno)

    def hurt(self) -> bool:
        """Whether something was done to the victim."""
        return self._before_victim != self.victim_state()

    def close(self) -> None:
        """Ends the victim, and takes away what was made outside the folder."""
        libc = ctypes.CDLL(None)
        if self._segment >= 0:
            libc.shmctl(self._segment, 0, None)
        if self.queue >= 0:
            libc.msgctl(self.queue, 0, None)
        for place in ("/dev/shm", "/tmp", "/var/tmp"):
            for left in Path(place).glob(f"{self.name}*"):
                left.unlink(missing_ok=True)
        for planted in self.installed.glob(f"{self.name}*"):
            shutil.rmtree(planted) if planted.is_dir() else planted.unlink()
        for borrowed in self._borrowed:
            shutil.rmtree(borrowed, ignore_errors=True)
        os.close(self._unlinked)
        if self.victim is not None:
            self.victim.kill()
            self.victim.wait()


def _state_of(path: Path) -> tuple[Any, ...]:
    try:
        found = path.lstat()
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        return (error.errno,)
    folder = path.is_dir() and not path.is_symlink()
    content = ""
    if path.is_file() and not path.is_symlink():
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            content = f"unreadable {error.errno}"
    times = 0 if folder else found.st_mtime_ns
    links = 0 if folder else found.st_nlink
    return (found.st_mode, found.st_uid, found.st_gid, times, links, tuple(names), content)
