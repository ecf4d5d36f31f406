"""Audits kept from one run to the next, under all that decides them: the engine's code as well."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from grader.assignment import Assignment
from grader.audit import Audit
from grader.audit.pages import audit_json
from grader.errors import EngineError
from grader.files import write_whole
from grader.keys import code_digest, digest_of
from grader.provenance import provenance

AUDITS: TypeAdapter[tuple[Audit, ...]] = TypeAdapter(tuple[Audit, ...])
MARGINS = ("margin", "right_margin")
"""What an infinite value of is null in JSON."""


def audit_key(assignment: Assignment, secret: str, rights: tuple[Path, ...]) -> str:
    """Content key of everything that decides an audit."""
    here = provenance("", "")
    others = (part for path in rights for part in (path.name, path.read_bytes()))
    own = (assignment.digest, assignment.skeleton)
    return digest_of(code_digest("."), here.torch, here.numpy, secret, *own, *others)


def read_audits(text: str) -> tuple[Audit, ...]:
    """Audits as `audit_json` writes them.

    Raises:
        ValueError: something else.
    """
    return AUDITS.validate_python(_infinite(json.loads(text)))


def _infinite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {
            key: float("inf") if key in MARGINS and value is None else _infinite(value)
            for key, value in tree.items()
        }
    return [_infinite(each) for each in tree] if isinstance(tree, list) else tree


class KeptAudits:
    """One file an audit, in a folder that may be thrown away at any time."""

    def __init__(self, folder: Path):
        """Of a folder, which need not be there yet."""
        self._folder = folder

    def get(self, key: str) -> Audit | None:
        """What was found under a key, None where nothing is kept."""
        try:
            (found,) = read_audits((self._folder / f"audit-{key}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def put(self, key: str, found: Audit) -> None:
        """Keeps what was found; where it can't be written it is found again the next time."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f"audit-{key}.json"
            write_whole(path, audit_json(found).encode(), private=True)
        except (OSError, EngineError):
            pass
