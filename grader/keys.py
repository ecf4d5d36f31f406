"""What marks rest on, by content: the key of what was observed, and the key of what that is worth.

Titles, hints and other words are in neither. What changed is what differs between two bases.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grader
from grader.assignment import Assignment
from grader.policy import POLICY, Policy
from grader.provenance import provenance
from grader.rubric import RUBRIC
from grader.types import Arrays, Rubric, Submission

OBSERVING = (
    *("adapters", "sandbox", "cases", "load", "checks", "mistakes", "expected", "diagnose"),
    *("mutants.py", "fingerprints.py", "origins.py", "pipeline.py", "score.py"),
)
"""What of this package decides what is observed: whatever else changes, nothing is run again."""
WORTH = ("points", "void", "policy")
"""Parts of a basis that say what an observation is worth; the others say what was observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the marks of an assignment rest on, but for the submission."""

    parts: Mapping[str, str]
    """Each part as a digest, but for the policy, which is there in full."""
    observed: str
    """Key of the parts that decide what is observed."""
    key: str
    """Key of all parts."""

    def run_key(self, submission: str) -> str:
        """Content key of what a submission, by digest, shows."""
        return digest_of(self.observed, submission)

    def score_key(self, submission: str) -> str:
        """Content key of what that is worth."""
        return digest_of(self.run_key(submission), *(self.parts[name] for name in WORTH))


def basis(
    assignment: Assignment, isolation: str, secret: str, policy: Policy, adapter: str = ""
) -> Basis:
    """What marks rest on.

    Args:
        assignment: reference, rubric, skeleton and data.
        isolation: the level at which submissions are shut in.
        secret: what hidden inputs are drawn from.
        adapter: digest of how submissions differ.
        policy: dates, late policy and extra points.
    """
    here = provenance("", isolation)
    parts = {
        "reference": digest_of(assignment.reference.content),
        "skeleton": digest_of(assignment.skeleton),
        "data": digest_of(*_arrays(assignment.files)),
        **_asked(assignment.rubric),
        "adapter": adapter,
        "secret": digest_of("secret", secret),
        "engine": engine_digest(),
        "torch": here.torch,
        "numpy": here.numpy,
        "isolation": isolation,
        **_worth(assignment.rubric),
        "policy": POLICY.dump_json(policy).decode(),
    }
    observed = [f"{name}={part}" for name, part in parts.items() if name not in WORTH]
    every = [f"{name}={part}" for name, part in parts.items()]
    return Basis(parts=parts, observed=digest_of(*observed), key=digest_of(*every))


def submission_digest(submission: Submission) -> str:
    """Digest of what was handed in: names and bytes of its files."""
    return digest_of(*(part for file in submission.files for part in (file.name, file.content)))


def digest_of(*parts: str | bytes) -> str:
    """Digest of some parts, each behind its length, so that no two lists of parts are one."""
    made = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        made.update(f"{len(content)}:".encode())
        made.update(content)
    return made.hexdigest()


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the parts in which two bases differ."""
    return tuple(name for name in {**new, **old} if old.get(name) != new.get(name))


def engine_digest() -> str:
    """Digest of that part of this package which decides what is observed."""
    return code_digest(*OBSERVING)


@cache
def code_digest(*names: str) -> str:
    """Digest of some of this package's folders and files; of all of it for "."."""
    root = Path(grader.__file__).parent
    files = [root / name for name in names]
    found = sorted(
        path for each in files for path in (each.rglob("*.py") if each.is_dir() else [each])
    )
    return digest_of(
        *(part for path in found for part in (path.relative_to(root).as_posix(), path.read_bytes()))
    )


def _asked(rubric: Rubric) -> dict[str, str]:
    """The parts of a rubric that decide what is observed, without words."""
    told: dict[str, Any] = RUBRIC.dump_python(rubric, mode="json")
    return {
        "cases": _told([_without(case, "note") for case in told["cases"]]),
        "limits": _told(told["limits"]),
        "forbidden": _told(told["forbidden"]),
        "checks": _told(
            [told["tolerance"], told["prefer"], told["load"]]
            + [
                [each[key] for key in ("id", "entry", "checks", "over")]
                for each in told["criteria"]
                if each["checks"]
            ]
        ),
        "mistakes": _told(
            [[e[key] for key in ("id", "edits", "twins")] for e in told["misconceptions"]]
            + [[e[key] for key in ("id", "edits", "earns")] for e in told["variants"]]
            + [[e[key] for key in ("id", "edits")] for e in told["harmless"]]
        ),
    }


def _worth(rubric: Rubric) -> dict[str, str]:
    """The parts that decide what an observation is worth, without words."""
    told: dict[str, Any] = RUBRIC.dump_python(rubric, mode="json")
    keys = ("id", "points", "credit", "bonus", "needs")
    return {
        "points": _told([[e[key] for key in keys] + [bool(e["manual"])] for e in told["criteria"]]),
        "void": _told([_without(each, "reason") for each in told["void"]]),
    }


def _without(told: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in keys}


def _told(value: Any) -> str:
    return digest_of(json.dumps(value, sort_keys=True, ensure_ascii=False))


def _arrays(files: Mapping[str, Arrays]) -> list[str | bytes]:
    return [
        part
        for file in sorted(files)
        for name, array in sorted(files[file].items())
        for part in (file, name, str(array.dtype), str(array.shape), array.tobytes())
    ]
