"""How a class's folder may be laid out, other than as a folder or file for each student.

nbgrader    ada/lstm/lstm.ipynb and timestamp.txt
GitHub      lstm-ada-l/ of a Classroom's clones, each with its .git
and what learning management systems pack (see lms)
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.collect.hand_ins import HandIn, Receipt, Unpacked, without
from grader.collect.lms import canvas, gradescope, moodle
from grader.collect.trees import Contents, Folder, Refused
from grader.roster import Identity

TIMESTAMP = "timestamp.txt"
_STAMP = re.compile(r"\s*(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)?(?: (\S+))?\s*")


def unpacked(
    folder: Folder, contents: Contents, assignment: str, owners: Iterable[str]
) -> Unpacked | None:
    """The hand-ins of a class's folder; None where no scheme is recognised.

    Args:
        folder: the folder.
        contents: what it holds.
        assignment: name of the assignment.
        owners: accounts of the roster, which clones are called after.
    """
    schemes: tuple[Callable[[], Unpacked | None], ...] = (
        lambda: gradescope(contents),
        lambda: nbgrader(folder, contents, assignment),
        lambda: canvas(contents, assignment),
        lambda: moodle(contents),
        lambda: clones(folder, contents, assignment, owners),
    )
    return next((found for scheme in schemes if (found := scheme()) is not None), None)


def nbgrader(folder: Folder, contents: Contents, assignment: str) -> Unpacked | None:
    """nbgrader's tree: in each student's folder one for each assignment, with a time stamp."""
    looked = {each.where: (each, each.look()) for each in contents.folders if each.name[:1] != "."}
    holding = {
        where: inner
        for where, (_, inside) in looked.items()
        for inner in inside.folders
        if inner.name == assignment and not _holds_work(inside)
    }
    stamped = any(
        file.name == TIMESTAMP for inner in holding.values() for file in inner.look().files
    )
    if not holding or not (stamped or folder.name == "submitted"):
        return None
    hand_ins = [
        HandIn(
            who=(Identity(key=looked[where][0].name),),
            contents=inner.look(),
            where=inner.where,
            submitted_at=_stamp(inner.look()),
        )
        for where, inner in holding.items()
    ]
    others = {where for where, (_, inside) in looked.items() if not _holds_work(inside)}
    skipped = tuple(
        f"{where}: no folder {assignment}" for where in looked if where in others - set(holding)
    )
    rest = without(contents, others | set(holding))
    return Unpacked(hand_ins=tuple(hand_ins), rest=rest, skipped=skipped)


def _holds_work(contents: Contents) -> bool:
    return any(file.name.endswith((".py", ".ipynb", ".zip")) for file in contents.files)


def _stamp(contents: Contents) -> datetime | None:
    """When nbgrader took it in: "2026-03-01 10:00:00.000000 UTC"."""
    for file in contents.files:
        if file.name == TIMESTAMP:
            try:
                match = _STAMP.fullmatch(file.read(200).decode("utf-8", "replace"))
                if match:
                    zone = UTC if match[3] in (None, "UTC") else ZoneInfo(match[3])
                    return datetime.fromisoformat(f"{match[1]} {match[2]}").replace(tzinfo=zone)
            except (Refused, ValueError, ZoneInfoNotFoundError):
                return None
    return None


def clones(
    folder: Folder, contents: Contents, assignment: str, owners: Iterable[str]
) -> Unpacked | None:
    """A folder of clones, each called after the assignment and whose it is."""
    repositories = [
        each
        for each in contents.folders
        if any(inner.name == ".git" for inner in each.look().folders)
    ]
    if not repositories:
        return None
    prefixes = (f"{folder.name.removesuffix('-submissions')}-", f"{assignment}-")
    accounts = sorted(filter(None, owners), key=len, reverse=True)
    hand_ins = []
    for each in repositories:
        owner = next(
            (account for account in accounts if _owned(each.name, account)),
            next((each.name[len(one) :] for one in prefixes if each.name.startswith(one)), ""),
        )
        hand_ins.append(
            HandIn(
                who=(Identity(key=owner or each.name, github=owner),),
                contents=each.look(),
                where=each.where,
                receipt=Receipt(commit=_head(each.look())),
            )
        )
    rest = without(contents, {each.where for each in repositories})
    return Unpacked(hand_ins=tuple(hand_ins), rest=rest)


def _owned(name: str, account: str) -> bool:
    return name.casefold() == account.casefold() or name.casefold().endswith(
        f"-{account.casefold()}"
    )


def _head(contents: Contents) -> str:
    """The commit that a clone stands at, read from its files; "" where that is not plain."""
    git = next((each for each in contents.folders if each.name == ".git"), None)
    said = _text(git, "HEAD") if git else ""
    if not said.startswith("ref: "):
        return said if re.fullmatch(r"[0-9a-f]{40,64}", said) else ""
    name = said.removeprefix("ref: ")
    loose = _text(git, *name.split("/"))
    packed = re.search(rf"(?m)^([0-9a-f]{{40,64}}) {re.escape(name)}$", _text(git, "packed-refs"))
    return loose or (packed[1] if packed else "")


def _text(folder: Folder | None, *path: str) -> str:
    for name in path[:-1]:
        inside = folder.look().folders if folder else ()
        folder = next((each for each in inside if each.name == name), None)
    files = folder.look().files if folder else ()
    file = next((each for each in files if each.name == path[-1]), None)
    try:
        return file.read(1_000_000).decode("utf-8", "replace").strip() if file else ""
    except Refused:
        return ""
