"""Folders and files, on the disk or in an archive, as one kind of tree."""

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_HIDING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that has not been read."""

    name: str
    """Its name, legible."""
    where: str
    """Where it is, as people are told."""
    read: Callable[[int], bytes]
    """Its first bytes, at most that many; raises `Refused`, or UsageError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that has not been looked into."""

    name: str
    """Its name, legible."""
    where: str
    """Where it is, as people are told."""
    look: Callable[[], "Contents"]
    """What it holds; raises UsageError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a folder holds, by name."""

    folders: tuple[Folder, ...] = ()
    """Folders in it."""
    files: tuple[File, ...] = ()
    """Files in it."""
    left_out: tuple[str, ...] = ()
    """What is not looked at, each with where it is and the reason."""


class Refused(Exception):
    """A file that can't be read or is not taken: says why. Becomes a line of what was left out."""


def on_disk(path: Path) -> File | Folder:
    """A file or folder of the disk, links followed."""
    if path.is_dir():
        name = legible(os.fsencode(path.resolve().name).decode("utf-8", "replace"))
        return Folder(name=name, where=str(path), look=lambda: _look(path))
    name = legible(os.fsencode(path.name).decode("utf-8", "replace"))
    return File(name=name, where=str(path), read=lambda limit: _read(path, limit))


def legible(name: str) -> str:
    """A name composed (NFC), with a replacement mark for every character that hides or misleads.

    A name with such a character stays another name than the one it imitates. Joiners stay, since
    emoji and some scripts need them. Every space is a plain one: macOS puts others into the names
    of screenshots.
    """
    composed = unicodedata.normalize("NFC", name)
    if composed.isascii() and composed.isprintable():
        return composed
    return "".join(map(_legible, composed))


def _legible(char: str) -> str:
    category = unicodedata.category(char)
    if category in _HIDING and char not in _JOINERS:
        return "\N{REPLACEMENT CHARACTER}"
    return " " if category == "Zs" else char


def _look(path: Path) -> Contents:
    try:
        children = sorted(path.iterdir())
    except OSError as error:
        raise UsageError(f"expected a readable folder, got {error.strerror} @ {path}") from error
    folders: list[Folder] = []
    files: list[File] = []
    left_out: list[str] = []
    for child in children:
        if child.is_symlink():
            left_out.append(f"{child}: a link; links are not followed")
            continue
        if not (child.is_dir() or child.is_file()):
            left_out.append(f"{child}: neither a file nor a folder")
            continue
        node = on_disk(child)
        if isinstance(node, Folder):
            folders.append(node)
        else:
            files.append(node)
    return Contents(folders=tuple(folders), files=tuple(files), left_out=tuple(left_out))


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            # Python sets aside as much memory as it is asked to read.
            return file.read(min(limit, os.fstat(file.fileno()).st_size + 1))
    except OSError as error:
        raise UsageError(f"expected a readable file, got {error.strerror} @ {path}") from error
