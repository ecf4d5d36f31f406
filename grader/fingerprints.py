"""What came back for a trial, shortened to a few numbers by which two answers can be compared.

A fingerprint is the form of an answer (how it ended, what was returned, which shapes) and the
projection of its values on a few fixed random directions: two answers that differ anywhere differ
in it, and neither the values nor the code that made them can be read from it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from grader.errors import EngineError
from grader.files import write_whole
from grader.types import Leaf, Outcome, RawOutput, Trial

SCHEME = "2"
"""Changes with how fingerprints are made, so that kept ones are made again."""

PROJECTIONS = 4
RTOL, ATOL = 1e-8, 1e-7
FINEST = 1e-3
"""Values much larger than this are compared by their logarithm, so that a masked -1e9 does not
drown what stands beside it, nor a large gradient a small one."""

MOST_PROJECTED = 2**20
"""Elements; more than that, which no reference gives back, are compared bit by bit."""

MOST_KEPT = 2**13
"""Elements of what the random directions are kept for: submissions choose the lengths."""

Key = tuple[str, str]
"""Case and variant of a trial."""

Stored = tuple[str, tuple[float, ...]]
_KEPT: TypeAdapter[dict[str, dict[str, Stored]]] = TypeAdapter(dict[str, dict[str, Stored]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """One answer, shortened."""

    form: str
    """Digest of how it ended and of what shape it is; NaN and infinity belong to the form."""
    numbers: tuple[float, ...] = ()
    """Its projections, and last its Euclidean norm."""

    def agrees(self, other: "Fingerprint") -> bool:
        """Whether two answers are the same but for rounding."""
        if self.form != other.form or len(self.numbers) != len(other.numbers):
            return False
        allowed = ATOL + RTOL * max((*self.numbers[-1:], *other.numbers[-1:], 0.0))
        return all(
            abs(one - two) <= allowed for one, two in zip(self.numbers, other.numbers, strict=True)
        )


def fingerprint(output: RawOutput) -> Fingerprint:
    """Of what was returned, of the gradients and of the arguments sent back."""
    if output.outcome is not Outcome.OK:
        return Fingerprint(form=_digest(output.outcome.value))
    said, arrays = [], []
    for name, array in _parts(output):
        said.append(name if array is None else f"{name}{array.shape}")
        if array is not None:
            arrays.append(np.asarray(array, np.float64).ravel())
    flat = np.concatenate(arrays) if arrays else np.zeros(0)
    finite = np.isfinite(flat)
    if not finite.all():
        odd = np.nan_to_num(flat, nan=2.0, posinf=1.0, neginf=-1.0)[~finite]
        said.append(hashlib.sha256(np.packbits(finite).tobytes() + odd.tobytes()).hexdigest())
        flat = np.where(finite, flat, 0.0)
    if flat.size > MOST_PROJECTED:
        said.append(hashlib.sha256(flat.tobytes()).hexdigest())
        return Fingerprint(form=_digest("|".join(said)))
    directions = _kept_directions if flat.size <= MOST_KEPT else _directions
    flat = _compressed(flat)
    numbers = (*(directions(flat.size) @ flat), np.sqrt((flat * flat).sum()))
    return Fingerprint(form=_digest("|".join(said)), numbers=tuple(map(float, numbers)))


def _compressed(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value, or about the logarithm of a large one, with its sign."""
    with np.errstate(over="ignore"):
        small = np.arcsinh(flat / FINEST)
    # Beyond 1e305 the quotient is too large for a float.
    return np.where(np.isfinite(small), small, np.sign(flat) * 1000.0)


def fingerprints(
    answers: Mapping[Key, RawOutput], trials: tuple[Trial, ...]
) -> dict[Key, Fingerprint]:
    """The fingerprints of some trials' answers."""
    return {
        (trial.case, trial.variant): fingerprint(answers[trial.case, trial.variant])
        for trial in trials
        if (trial.case, trial.variant) in answers
    }


class FingerprintFile:
    """Fingerprints kept in a file from one run to the next, under the ids of what was patched.

    They hold what hidden cases answer, so the file is its owner's alone. One that can't be read is
    made again; one that can't be written is done without.
    """

    def __init__(self, path: Path):
        self._path = path
        self._kept: dict[str, dict[str, Stored]] = {}
        try:
            self._kept = _KEPT.validate_json(path.read_bytes())
        except (OSError, ValidationError):
            pass

    def get(self, ids: tuple[str, ...]) -> dict[Key, Fingerprint] | None:
        """What is known of some patches."""
        kept = self._kept.get("+".join(ids))
        return None if kept is None else restored(kept)

    def put(self, ids: tuple[str, ...], prints: Mapping[Key, Fingerprint]) -> None:
        """Keeps it, until `save` writes it."""
        self._kept["+".join(ids)] = stored(prints)

    def save(self) -> None:
        """Writes what is kept, whole or not at all."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._path, _KEPT.dump_json(self._kept), private=True)
        except (OSError, EngineError):
            return


def stored(prints: Mapping[Key, Fingerprint]) -> dict[str, Stored]:
    """Fingerprints as they are written."""
    return {"\t".join(key): (each.form, each.numbers) for key, each in prints.items()}


def restored(kept: Mapping[str, Stored]) -> dict[Key, Fingerprint]:
    """Fingerprints as they were written."""
    found = {}
    for name, (form, numbers) in kept.items():
        case, _, variant = name.partition("\t")
        found[case, variant] = Fingerprint(form=form, numbers=tuple(numbers))
    return found


def _parts(output: RawOutput) -> Iterator[tuple[str, NDArray[np.generic] | None]]:
    for call in output.leaves:
        yield "call", None
        for leaf in call:
            yield _kind(leaf), leaf.array
    for name in sorted(output.gradients):
        yield f"gradient {name}", output.gradients[name]
    for name in sorted(output.inputs):
        yield f"input {name}", output.inputs[name]


def _kind(leaf: Leaf) -> str:
    """An array, a number and a tensor are the same thing here."""
    return (
        f"{leaf.path} array" if leaf.array is not None else f"{leaf.path} {leaf.kind} {leaf.text}"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@lru_cache(maxsize=256)
def _kept_directions(size: int) -> NDArray[np.float64]:
    return _directions(size)


def _directions(size: int) -> NDArray[np.float64]:
    """(PROJECTIONS, size), the same everywhere."""
    return np.random.RandomState(size % 2**31).standard_normal((PROJECTIONS, size))


def cache_folder() -> Path:
    """Where fingerprints are kept from one run to the next, for this user alone."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sequence-grader"
