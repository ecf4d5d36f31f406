"""A hand-in as an LMS or a repository packs it: whose, what, and how it came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grader.collect.trees import Contents, File, Folder
from grader.roster import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known of how a submission was handed in."""

    late: bool = False
    """Whether the LMS marks it as late."""
    commit: str = ""
    """The commit, where it came from a repository."""
    together: tuple[str, ...] = ()
    """Names of all who handed it in, where there were several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """One hand-in, as an LMS packs it."""

    who: tuple[Identity, ...]
    """Whose it is."""
    contents: Contents
    """What was handed in, as a folder."""
    where: str
    """Where it was found, for messages."""
    receipt: Receipt = Receipt()
    """How it was handed in."""
    submitted_at: datetime | None = None
    """When, where somebody other than its author says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What a class's folder holds, where a naming scheme is recognised."""

    hand_ins: tuple[HandIn, ...]
    """Those whose names follow the scheme."""
    rest: Contents
    """What does not."""
    skipped: tuple[str, ...] = ()
    """What belongs to the scheme and is no submission, each with the reason."""


def most(count: int, nodes: Sequence[Folder | File]) -> bool:
    """Whether so many are at least half of what is there, hidden things left out."""
    visible = [node for node in nodes if not node.name.startswith((".", "__"))]
    return count > 0 and 2 * count >= len(visible)


def without(contents: Contents, taken: set[str]) -> Contents:
    """What a folder holds but for what is found at some places."""
    return replace(
        contents,
        folders=tuple(each for each in contents.folders if each.where not in taken),
        files=tuple(each for each in contents.files if each.where not in taken),
    )
