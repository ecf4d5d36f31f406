"""A zip -> a tree of what can safely be taken from it. Nothing is ever written to the disk.

Whoever made the zip is not trusted: neither its names nor its sizes are believed, no entry can
lead anywhere but into the tree, and what an entry unpacks to is counted while it is read.
"""

import io
import re
import stat
import struct
import threading
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from grader.collect.trees import Contents, File, Folder, Refused, legible
from grader.errors import UsageError

MOST_ENTRIES = 50_000
MOST_DIRECTORY_BYTES = 8_000_000
"""Size of a zip's table of contents, which is read in one piece."""
LONGEST_END_BYTES = 1 << 17
"""More than a zip's last record takes, whose comment has at most 65,535 bytes."""
MOST_UNPACKED_BYTES = 2_000_000_000
"""What all files that are taken from one zip, and from those in it, may come to."""
MOST_SUBMISSION_BYTES = 64_000_000
"""What those of one submission may come to, so that nobody uses up what is there for all."""
MOST_NESTED_BYTES = 64_000_000
"""Size of a zip within a zip, which is held in memory while it is read."""
MOST_RATIO = 200
"""Unpacked size over packed size; real notebooks reach about 60, zlib at most 1032."""
FREE_BYTES = 1_000_000
"""Below this size no ratio is suspicious."""
MOST_ZIPS = 2
"""A zip, and one within it."""
MOST_CHARACTERS = 1_000
MOST_PARTS = 20
CHUNK_BYTES = 1 << 16

LEFT_BY_TOOLS = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
NEXT = "unpack it and name the folder, or ask for another copy"

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_DOS_FOLDER = 0x10
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DRIVE = re.compile(r"[A-Za-z]:")
_LOCAL_HEADER_BYTES = 30
# What zipfile lets through for bytes that are no zip, beside its own exception.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    OSError,
)


@dataclass(slots=True)
class Budget:
    """What may still be unpacked."""

    left_bytes: int = field(default_factory=lambda: MOST_UNPACKED_BYTES)
    """Bytes, of all submissions together."""
    own_bytes: int = field(default_factory=lambda: MOST_SUBMISSION_BYTES)
    """Bytes, of the submission that is being read."""

    def next_submission(self) -> None:
        """What is read from here on is another submission's."""
        self.own_bytes = MOST_SUBMISSION_BYTES

    def spend(self, count: int, where: str) -> None:
        """Takes off `count` bytes.

        Raises:
            Refused: the submission has used up its own.
            UsageError: there are not as many left.
        """
        self.own_bytes -= count
        if self.own_bytes < 0:
            raise Refused(f"more than {MOST_SUBMISSION_BYTES} bytes in one submission")
        self.left_bytes -= count
        if self.left_bytes < 0:
            raise UsageError(
                f"expected an archive that unpacks to at most {MOST_UNPACKED_BYTES} bytes of "
                f"notebooks and modules, got more @ {where}; grade it in parts, folder by folder"
            )


@dataclass(slots=True)
class _Branch:
    """A folder in the making."""

    folders: dict[str, "_Branch"] = field(default_factory=dict)
    files: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    spelling: str = ""


class _Bounded:
    """A file of which no more is read at once than a table of contents may hold.

    `zipfile` reads the table in one piece of whatever size the file claims.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        if size > MOST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"a table of contents of {size} bytes")
        return self._file.read(size if size >= 0 else LONGEST_END_BYTES)

    def seekable(self) -> bool:
        return True


class _Zip:
    """An open zip, and what it may still be unpacked to."""

    def __init__(self, file: BinaryIO, where: str, budget: Budget, depth: int):
        self.where = where
        self.budget = budget
        self.depth = depth
        self._lock = threading.Lock()
        self.left_out: list[str] = []
        self.root = _Branch()
        try:
            self._zip = zipfile.ZipFile(_Bounded(file))
        except _BROKEN as error:
            raise Refused(f"expected a zip, got a broken one: {error}") from error
        entries = self._zip.infolist()
        if len(entries) > MOST_ENTRIES:
            raise Refused(f"expected at most {MOST_ENTRIES} entries, got {len(entries)}")
        self._plant(entries)

    def _plant(self, entries: list[zipfile.ZipInfo]) -> None:
        """Puts every entry that can be taken in its place, and notes the others."""
        size = self._zip.start_dir
        overlapping = set(_overlapping(entries, size))
        taken: dict[tuple[str, ...], zipfile.ZipInfo] = {}
        spellings: dict[tuple[str, ...], tuple[str, ...]] = {}
        for info in entries:
            raw = _raw_name(info)
            parts = tuple(legible(part) for part in raw.split("/") if part not in ("", "."))
            if any(part.casefold() in LEFT_BY_TOOLS for part in parts):
                continue
            reason = _fault_of_name(raw, parts) or _fault_of_kind(info)
            if not reason and info in overlapping:
                reason = "its bytes run into another entry's"
            folded = tuple(map(_folded, parts))
            for length in range(1, len(parts) + 1):
                known = spellings.setdefault(folded[:length], parts[:length])
                if not reason and known != parts[:length]:
                    reason = f"a twin of {_quoted('/'.join(known))}, which came first"
            if not reason and not _is_folder(info):
                earlier = taken.get(folded)
                if earlier is not None:
                    self._leave_out("/".join(parts), "an earlier entry of a name that comes again")
                taken[folded] = info
            if reason:
                self._leave_out("/".join(parts) or raw, reason)
            elif _is_folder(info):
                self._branch(parts)
        for folded, info in taken.items():
            self._hang(spellings[folded], info)

    def _hang(self, parts: tuple[str, ...], info: zipfile.ZipInfo) -> None:
        branch = self._branch(parts[:-1])
        if branch is None or parts[-1] in branch.folders:
            self._leave_out("/".join(parts), "a file and a folder of one name")
        else:
            branch.files[parts[-1]] = info

    def _branch(self, parts: tuple[str, ...]) -> _Branch | None:
        branch = self.root
        for part in parts:
            if part in branch.files:
                return None
            branch = branch.folders.setdefault(part, _Branch())
        return branch

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out.append(f"{self.where}: {_quoted(name)}: {reason}")

    def folder(self, name: str) -> Folder:
        """All of it."""
        return Folder(name=name, where=self.where, look=partial(self._look, self.root, ""))

    def _look(self, branch: _Branch, path: str) -> Contents:
        folders = (
            Folder(
                name=name,
                where=f"{self.where}: {path}{name}",
                look=partial(self._look, inner, f"{path}{name}/"),
            )
            for name, inner in sorted(branch.folders.items())
        )
        files = (
            File(
                name=name,
                where=f"{self.where}: {path}{name}",
                read=partial(self._read, info, f"{self.where}: {path}{name}"),
            )
            for name, info in sorted(branch.files.items())
        )
        left_out = tuple(self.left_out) if branch is self.root else ()
        return Contents(folders=tuple(folders), files=tuple(files), left_out=left_out)

    def _read(self, info: zipfile.ZipInfo, where: str, limit: int) -> bytes:
        """The first bytes of an entry, at most `limit`, whatever size it claims."""
        pieces: list[bytes] = []
        count = 0
        most = max(FREE_BYTES, MOST_RATIO * info.compress_size)
        bomb = Refused(f"unpacks to more than {MOST_RATIO} times its size")
        if info.file_size > most:
            raise bomb
        try:
            with self._lock, self._zip.open(info) as file:
                while count < limit:
                    piece = file.read(min(CHUNK_BYTES, limit - count))
                    if not piece:
                        break
                    count += len(piece)
                    if count > most:
                        raise bomb
                    self.budget.spend(len(piece), self.where)
                    pieces.append(piece)
        except _BROKEN as error:
            raise Refused(f"can't be unpacked: {_said(error)}") from error
        return b"".join(pieces)


@contextmanager
def opened(path: Path, budget: Budget) -> Iterator[Folder]:
    """A zip of the disk as a folder, named after its stem, while it is open.

    Raises:
        UsageError: it is no zip, broken, or has too many entries.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"expected a readable file, got {error.strerror} @ {path}") from error
    with file:
        try:
            folder = _Zip(file, str(path), budget, 1).folder(legible(path.stem))
        except Refused as error:
            raise UsageError(f"{error} @ {path}; {NEXT}") from error
        yield folder


def within(file: File, budget: Budget, depth: int) -> Folder:
    """A zip that lies in a folder or in another zip, as a folder named after its stem.

    Args:
        file: the zip.
        budget: what may still be unpacked.
        depth: how many zips it lies in.

    Raises:
        Refused: it is no zip, broken, too large, or in too many others.
    """
    if depth >= MOST_ZIPS:
        raise Refused("a zip within a zip within a zip; only one within another is read")
    content = file.read(MOST_NESTED_BYTES + 1)
    if len(content) > MOST_NESTED_BYTES:
        raise Refused(f"expected a zip of at most {MOST_NESTED_BYTES} bytes, got more")
    stem = file.name.rpartition(".")[0] or file.name
    return _Zip(io.BytesIO(content), file.where, budget, depth + 1).folder(stem)


def _overlapping(entries: list[zipfile.ZipInfo], end: int) -> Iterator[zipfile.ZipInfo]:
    """Entries whose bytes reach into the next one's: one small block would unpack many times."""
    ordered = sorted(entries, key=lambda info: info.header_offset)
    starts = [*(info.header_offset for info in ordered), end]
    for info, following in zip(ordered, starts[1:], strict=True):
        named = len(info.orig_filename.encode("utf-8", "replace")) if info.flag_bits & _UTF8 else 0
        if info.header_offset + _LOCAL_HEADER_BYTES + named + info.compress_size > following:
            yield info


def _raw_name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the flag for UTF-8 it may be in the maker's own encoding.

    macOS writes UTF-8 without saying so, Windows in Korean its own code page; else it is cp437.
    """
    name = info.orig_filename
    if name.isascii() or info.flag_bits & _UTF8:
        return name
    raw = name.encode("cp437", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        korean = raw.decode("euc-kr")
    except UnicodeDecodeError:
        return name
    return korean if all(char.isascii() or "가" <= char <= "힣" for char in korean) else name


def _fault_of_name(raw: str, parts: tuple[str, ...]) -> str:
    """Why a name leads nowhere good; "" where it is harmless."""
    if "\0" in raw:
        return "a name with a zero byte in it"
    if "\\" in raw:
        return "a name with a backslash, which is a folder's mark on some systems only"
    if raw.startswith("/") or _DRIVE.match(raw):
        return "an absolute path"
    if "." in raw.split("/")[1:]:
        return "a path with a dot in it, which is another name for a file"
    if ".." in raw.split("/"):
        return "a path that leads outside"
    if not parts:
        return "no name"
    if len(raw) > MOST_CHARACTERS or len(parts) > MOST_PARTS:
        return f"a path of more than {MOST_CHARACTERS} characters or {MOST_PARTS} folders"
    return ""


def _fault_of_kind(info: zipfile.ZipInfo) -> str:
    """Why an entry is no plain file or folder that can be unpacked; "" where it is one."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link; links are not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "neither a file nor a folder"
    if _is_folder(info):
        return "a folder that holds bytes" if info.compress_size else ""
    if info.flag_bits & _ENCRYPTED:
        return "encrypted; hand it in without a password"
    if info.compress_type not in _METHODS:
        return f"packed by method {info.compress_type}, which is not read here"
    return ""


def _is_folder(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    marked = kind == stat.S_IFDIR or (not kind and bool(info.external_attr & _DOS_FOLDER))
    return info.orig_filename.endswith("/") or marked


def _folded(part: str) -> str:
    """What names have in common that some file system takes for one."""
    plain = "".join(char for char in part if char not in "\u200c\u200d")
    return unicodedata.normalize("NFC", plain.casefold())


def _quoted(name: str) -> str:
    return legible(name if len(name) <= 200 else f"{name[:200]}…")


def _said(error: BaseException) -> str:
    return legible(str(error)[:200]) or type(error).__name__


def is_zip(file: File) -> bool:
    """Whether a file is a zip, by its name."""
    return file.name.lower().endswith(".zip")


def joined(reasons: Iterable[str], most: int) -> str:
    """The first few of a list, and how many more there are."""
    listed = list(reasons)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
