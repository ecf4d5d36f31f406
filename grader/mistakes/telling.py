"""What a student's folder tells of known mistakes: fingerprints of wrong answers, no patch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.fingerprints import Key, Stored, restored, stored
from grader.mistakes.known import Ids, Prints
from grader.mistakes.running import FromReference
from grader.types import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class FromBundle:
    """What a student's folder tells of known mistakes: what single ones answer in public cases."""

    ids: tuple[str, ...]
    """Misconceptions, then variants."""
    right: Prints
    """What the reference answers."""
    wrong: Mapping[str, Prints]
    """What differs from that under each."""
    seen: frozenset[tuple[str, str]]
    """Each mistake with the entries whose own mistakes it does not hide."""

    def prints(self, ids: Ids) -> Prints | None:
        """What the reference with one patch answers."""
        if len(ids) != 1 or ids[0] not in self.wrong:
            return None
        return {**self.right, **self.wrong[ids[0]]}

    def pairs(
        self, entry: str, own: Prints, known: Iterable[str] = (), still: Iterable[Key] = ()
    ) -> tuple[Ids, ...]:
        """Pairs need the reference, which a student's folder does not hold."""
        return ()

    def noticed(self, ids: Ids, entry: str) -> bool:
        """Whether each mistake of an entry's own would still be seen under these patches."""
        return all((name, entry) in self.seen for name in ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPrints:
    """The same as it is written."""

    prints: dict[str, dict[str, Stored]]
    """Fingerprints by patch ("" for the reference) and trial."""
    noticed: list[tuple[str, str]]
    """As `FromBundle.seen`."""


def told(mistakes: FromReference, trials: tuple[Trial, ...]) -> ToldPrints:
    """What a student's folder may hold of known mistakes: what they answer in these trials."""
    keys = [(trial.case, trial.variant) for trial in trials if trial.probe != "describe"]
    right = mistakes.right
    prints = {"": stored({key: right[key] for key in keys})}
    for name in mistakes.ids:
        wrong = mistakes.prints((name,))
        differing = {key: wrong[key] for key in keys if not wrong[key].agrees(right[key])}
        if differing:
            prints[name] = stored(differing)
    entries = tuple(dict.fromkeys(trial.entry for trial in trials))
    noticed = [
        (name, entry)
        for entry in entries
        for name in mistakes.all_noticed(
            entry, [name for name in mistakes.carried_to(entry) if name in prints]
        )
    ]
    return ToldPrints(prints=prints, noticed=noticed)


def from_bundle(kept: ToldPrints) -> FromBundle:
    """The same, read."""
    wrong = {name: restored(of) for name, of in kept.prints.items()}
    right = wrong.pop("", {})
    seen = frozenset((name, entry) for name, entry in kept.noticed)
    return FromBundle(ids=tuple(wrong), right=right, wrong=wrong, seen=seen)
