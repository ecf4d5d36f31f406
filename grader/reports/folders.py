"""Folder names for students: safe on every file system, and never two students in one folder."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MOST_BYTES = 120
"""Length of a folder's name in UTF-8; a file system takes 255, a path on Windows 260."""

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_NUMBERS = (*"123456789", *"¹²³")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in _NUMBERS}
)
_OURS = frozenset({"index.html", "grades.csv", "grades.json"})


def folder_of(student: str) -> str:
    """A folder name for one student; different students may share it (see `folders`).

    Hangul stays as it is, composed; separators, invisible characters and what Windows keeps
    for itself do not.
    """
    composed = unicodedata.normalize("NFC", student)
    kept = "".join(
        char for char in composed if char in "\t\n" or unicodedata.category(char) not in _INVISIBLE
    )
    name = " ".join(_UNSAFE.sub("-", kept).split())
    name = _cut(name.lstrip("-~. "), MOST_BYTES).rstrip(". ")
    if not name:
        return "student"
    taken = name.partition(".")[0].strip().casefold() in _RESERVED or name.casefold() in _OURS
    return f"_{name}" if taken else name


def folders(students: Iterable[str]) -> dict[str, str]:
    """A folder for each student, no two the same even where case makes no difference.

    Where names meet, whoever's name is the folder's keeps it and the others get a short hash of
    their own behind it, so the answer depends on the set of students and not on their order.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for student in sorted(set(students)):
        groups[_folded(folder_of(student))].append(student)
    result: dict[str, str] = {}
    taken: set[str] = set()
    for group in groups.values():
        keeper = next((one for one in group if one == folder_of(one)), None)
        if len(group) == 1:
            keeper = group[0]
        if keeper is not None:
            result[keeper] = folder_of(keeper)
            taken.add(_folded(result[keeper]))
    for group in groups.values():
        for student in group:
            if student not in result:
                result[student] = _apart(student, taken)
                taken.add(_folded(result[student]))
    return result


def _apart(student: str, taken: set[str]) -> str:
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    base = folder_of(student)
    length = 8
    while _folded(f"{base}-{digest[:length]}") in taken:
        length += 4
    return f"{base}-{digest[:length]}"


def _folded(name: str) -> str:
    """What two names that some file system takes for one have in common."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _cut(name: str, most: int) -> str:
    return name.encode("utf-8")[:most].decode("utf-8", "ignore")
