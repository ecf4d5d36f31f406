"""Zips, honest and hostile, made in memory."""

import io
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

Entry = tuple[str | zipfile.ZipInfo, bytes]


def packed(*entries: Entry, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of entries in that order, duplicates and all."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name  # dated 1980
            archive.writestr(info, content, method)
    return buffer.getvalue()


def write_zip(path: Path, *entries: Entry) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(*entries))
    return path


def special(name: str, kind: int) -> zipfile.ZipInfo:
    """An entry that says it is a link, a fifo, a device."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def link(name: str) -> zipfile.ZipInfo:
    return special(name, stat.S_IFLNK)


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The zip with the bytes of a name changed wherever they stand: what `zipfile` won't write."""
    assert len(old) == len(new) and old in archive
    return archive.replace(old, new)


def patched(archive: bytes, changes: Iterable[tuple[int, bytes]], *, entry: int = 0) -> bytes:
    """The zip with bytes of one entry's record in its table of contents changed."""
    at = -1
    for _ in range(entry + 1):
        at = archive.index(b"PK\x01\x02", at + 1)
    changed = bytearray(archive)
    for offset, value in changes:
        changed[at + offset : at + offset + len(value)] = value
    return bytes(changed)
