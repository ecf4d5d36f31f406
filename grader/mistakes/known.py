"""What is asked of whoever knows mistakes, and of whoever keeps what they answer."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from grader.fingerprints import Fingerprint, Key

Ids = tuple[str, ...]
"""Patches that are made together."""

Prints = Mapping[Key, Fingerprint]


class Store(Protocol):
    """Keeps fingerprints from one run to the next."""

    def get(self, ids: Ids) -> dict[Key, Fingerprint] | None:
        """What is known of some patches."""

    def put(self, ids: Ids, prints: Prints) -> None:
        """Keeps it."""

    def save(self) -> None:
        """Writes it down."""


class Mistakes(Protocol):
    """What known mistakes answer."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all misconceptions, in the rubric's order, then of the variants."""

    def prints(self, ids: Ids) -> Prints | None:
        """What the reference with these patches answers; None where it is not known."""

    @property
    def right(self) -> Prints:
        """What the reference itself answers."""

    def pairs(
        self, entry: str, own: Prints, known: Iterable[str] = (), still: Iterable[Key] = ()
    ) -> tuple[Ids, ...]:
        """Pairs of misconceptions that answer one entry's most telling trials as `own` does.

        Args:
            entry: the entry.
            own: what a submission answered for it.
            known: what is known to be wrong already: pairs with one of these are tried first, and
                others only if none of them agrees.
            still: trials whose answer none of the two may change, for other entries.
        """

    def noticed(self, ids: Ids, entry: str) -> bool:
        """Whether each mistake of an entry's own would still be seen under these patches."""


class NotKept:
    """Keeps nothing."""

    def get(self, ids: Ids) -> dict[Key, Fingerprint] | None:
        """Nothing."""
        return None

    def put(self, ids: Ids, prints: Prints) -> None:
        """Nowhere."""

    def save(self) -> None:
        """Nothing."""


class NoMistakes:
    """Where none are known."""

    ids: tuple[str, ...] = ()
    right: Prints = {}  # noqa: RUF012 - nothing writes to it

    def prints(self, ids: Ids) -> Prints | None:
        """Nothing is known."""
        return None

    def pairs(
        self, entry: str, own: Prints, known: Iterable[str] = (), still: Iterable[Key] = ()
    ) -> tuple[Ids, ...]:
        """No pair is known."""
        return ()

    def noticed(self, ids: Ids, entry: str) -> bool:
        """Nothing is known, so nothing is paid."""
        return False
