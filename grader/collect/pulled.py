"""What `grader pull` left: whose each folder is, the commit, and when it had arrived."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grader.collect.hand_ins import HandIn, Receipt
from grader.collect.trees import Contents, Refused
from grader.roster import Identity

PULLED = "pulled.json"
MOST_BYTES = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """One student's folder."""

    student: str
    """Name of the student."""
    folder: str
    """Name of the folder."""
    commit: str
    """The commit that lies in it."""
    arrived: datetime
    """When it had arrived at the latest, by the host's clock or ours; never its author's."""


_PULLED: TypeAdapter[tuple[Pulled, ...]] = TypeAdapter(tuple[Pulled, ...])


def read_pulled(contents: Contents) -> tuple[HandIn, ...] | None:
    """The hand-ins of a folder that `grader pull` wrote; None for any other."""
    file = next((each for each in contents.files if each.name == PULLED), None)
    if file is None:
        return None
    try:
        known = _PULLED.validate_json(file.read(MOST_BYTES))
    except (ValidationError, Refused):
        return None
    there = {folder.name: folder for folder in contents.folders}
    return tuple(
        HandIn(
            who=(Identity(key=each.student),),
            contents=there[each.folder].look(),
            where=there[each.folder].where,
            receipt=Receipt(commit=each.commit),
            submitted_at=each.arrived,
        )
        for each in known
        if each.folder in there
    )


def pulled_json(pulled: Iterable[Pulled]) -> str:
    """The file that says what was pulled."""
    records = [{**asdict(each), "arrived": each.arrived.isoformat()} for each in pulled]
    return json.dumps(records, ensure_ascii=False, indent=2) + "\n"


def folder_pulled(folder: Path) -> tuple[Pulled, ...]:
    """What was pulled into a folder before; nothing where that is not known."""
    try:
        return _PULLED.validate_json((folder / PULLED).read_bytes())
    except (OSError, ValidationError):
        return ()
