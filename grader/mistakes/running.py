"""Every known mistake: what the reference answers under it, run when that is asked for."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from grader.fingerprints import Fingerprint, Key, fingerprint
from grader.mistakes.known import Ids, Prints, Store
from grader.mistakes.patched import PatchedReference, renamed
from grader.types import Trial

DEFINITIONS_TOGETHER = 120
MOST_PAIRS = 800
"""Pairs of which neither is known already that are tried for one question, those first that change
little else: some seconds, once. Of one entry's own mistakes there are at most 775 (LSTMCell)."""


class FromReference:
    """Runs patched references when they are asked for, and keeps what they answered."""

    def __init__(self, patched: PatchedReference, store: Store):
        """Of a reference and its patches; `store` keeps fingerprints."""
        self.patched, self._store = patched, store
        self._rubric, self._patches = patched.rubric, patched.patches
        self._trials = tuple(trial for trial in patched.trials if trial.probe != "describe")
        self._keys = {(trial.case, trial.variant) for trial in self._trials}
        self._known: dict[Ids, dict[Key, Fingerprint]] = {}
        self._noticed: dict[tuple[Ids, str], bool] = {}
        self._screened: dict[Key, dict[Ids, Fingerprint]] = {}
        self._lock = threading.RLock()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all misconceptions, then of the variants."""
        harmless = {each.id for each in self._rubric.harmless}
        return tuple(name for name in self._patches if name not in harmless)

    @property
    def right(self) -> Prints:
        """What the reference itself answers."""
        return self.prints(())

    def prints(self, ids: Ids) -> Prints:
        """What the reference with these patches answers; the singles are all run at once."""
        ids = tuple(sorted(ids, key=list(self._patches).index))
        with self._lock:
            if ids not in self._known:
                if ids:
                    self.prints(())  # which stands for what a patch does not touch
                wanted = [(name,) for name in self._patches] if len(ids) == 1 else [ids]
                missing = []
                for each in wanted:
                    stored = self._store.get(each)
                    if stored is None or stored.keys() != self._keys:
                        missing.append(each)
                    else:
                        self._known[each] = stored
                for each, prints in self._many(missing, self._trials).items():
                    self._known[each] = prints
                    self._store.put(each, prints)
                if missing:
                    self._store.save()
            return self._known[ids]

    def pairs(
        self, entry: str, own: Prints, known: Iterable[str] = (), still: Iterable[Key] = ()
    ) -> tuple[Ids, ...]:
        """Pairs of misconceptions that answer one entry's most telling trials as `own` does."""
        plausible = self._plausible(entry, own, still)
        told = set(known)
        with self._lock:
            for some in (
                [ids for ids in plausible if told.issuperset(ids)],
                [ids for ids in plausible if not told.isdisjoint(ids)],
                plausible[:MOST_PAIRS],
            ):
                if agreeing := self._agreeing(some, entry, own):
                    return tuple(agreeing)
        return ()

    def _agreeing(self, pairs: list[Ids], entry: str, own: Prints) -> list[Ids]:
        """Those that answer some telling trials as `own` does, asked one after another."""
        for trial in self._telling(entry, own):
            key = trial.case, trial.variant
            screened = self._screened.setdefault(key, {})
            waiting = [ids for ids in pairs if ids not in screened]
            for ids, prints in self._many(waiting, (trial,), self.patched.code).items():
                screened[ids] = prints[key]
            pairs = [ids for ids in pairs if screened[ids].agrees(own[key])]
        return pairs

    def noticed(self, ids: Ids, entry: str) -> bool:
        """Whether each mistake of an entry's own would still be seen under these patches."""
        with self._lock:
            if (ids, entry) not in self._noticed:
                self._notice([ids], entry)
            return self._noticed[ids, entry]

    def all_noticed(self, entry: str, names: Sequence[str]) -> list[str]:
        """Those patches under which each mistake of an entry's own would still be seen."""
        with self._lock:
            self._notice([(name,) for name in names], entry)
            return [name for name in names if self._noticed[(name,), entry]]

    def carried_to(self, entry: str) -> list[str]:
        """Patches that change what an entry answers, and what one asked before it does."""
        entries = list(dict.fromkeys(trial.entry for trial in self._trials))
        before = entries[: entries.index(entry)] if entry in entries else []
        return [
            name
            for name in self.ids
            if self.differs((name,), entry)
            and any(self.differs((name,), earlier) for earlier in before)
        ]

    def _notice(self, under: Sequence[Ids], entry: str) -> None:
        """Finds out, for several sets of patches at once, whether they hide a mistake."""
        trials = tuple(trial for trial in self._trials if trial.entry == entry)
        keys = [(trial.case, trial.variant) for trial in sorted(trials, key=_effort)]
        seen_at = {
            name: min(changed, key=keys.index)
            for name in self._misconceptions
            if not self.elsewhere(name, entry)
            if (changed := self._changed(self.prints((name,)), keys))
        }
        asked = [
            (ids, name)
            for ids in under
            for name in seen_at
            if name not in ids and self.patched.combine((*ids, name))
        ]
        # Most are seen where each is seen first by itself; the rest is asked everything.
        rest: dict[Ids, list[str]] = {}
        for ids, name in self._hidden_at_first(asked, entry, seen_at):
            rest.setdefault(ids, []).append(name)
        hiding: set[Ids] = set()
        while rest:
            # One mistake of each at a time: the first that stays hidden settles it.
            tried = {(*ids, names.pop()): ids for ids, names in rest.items()}
            for both, prints in self._many(list(tried), trials, self.patched.code).items():
                under_it = self.prints(tried[both])
                if all(prints[key].agrees(under_it[key]) for key in prints):
                    hiding.add(tried[both])
            rest = {ids: names for ids, names in rest.items() if names and ids not in hiding}
        for ids in under:
            self._noticed[ids, entry] = ids not in hiding

    def _hidden_at_first(
        self, asked: list[tuple[Ids, str]], entry: str, seen_at: Mapping[str, Key]
    ) -> list[tuple[Ids, str]]:
        """Mistakes, under others, that do not show in the one trial that they are seen at first.

        A mistake of the entry's own needs no more than the entry's definition beside the module of
        the others: to make the whole module for each takes five times as long.
        """
        top = entry.partition(".")[0]
        by_key = {(trial.case, trial.variant): trial for trial in self._trials}
        hidden = [each for each in asked if self._patches[each[1]].scopes != {top}]
        alone = [each for each in asked if self._patches[each[1]].scopes == {top}]
        for start in range(0, len(alone), DEFINITIONS_TOGETHER):
            chunk = alone[start : start + DEFINITIONS_TOGETHER]
            bases = list(dict.fromkeys(ids for ids, _ in chunk))
            modules = {f"_base{n}": self.patched.code(ids) for n, ids in enumerate(bases)}
            for n, (ids, name) in enumerate(chunk):
                own = self.patched.entry_code((*ids, name), top)
                modules[f"_{n}"] = f"from _base{bases.index(ids)} import *\n\n{own}"
            trials = tuple(renamed(by_key[seen_at[name]], n) for n, (_, name) in enumerate(chunk))
            for (ids, name), output in zip(
                chunk, self.patched.outputs(modules, trials), strict=True
            ):
                if fingerprint(output).agrees(self.prints(ids)[seen_at[name]]):
                    hidden.append((ids, name))
        return hidden

    def elsewhere(self, name: str, entry: str) -> bool:
        """Whether a patch edits something else than the entry."""
        return entry.partition(".")[0] not in self._patches[name].scopes

    @property
    def _misconceptions(self) -> list[str]:
        return [each.id for each in self._rubric.misconceptions]

    def differs(self, ids: Ids, entry: str) -> bool:
        """Whether some patches change what an entry answers."""
        keys = [(trial.case, trial.variant) for trial in self._trials if trial.entry == entry]
        return bool(self._changed(self.prints(ids), keys))

    def _plausible(self, entry: str, own: Prints, still: Iterable[Key]) -> list[Ids]:
        """Pairs of patches that fit together and that, between them, change every answer of the
        entry that is changed, and none that is `still`."""
        wrong, still = self._changed(own, own), set(still) & self._keys
        moving = {
            name: changed
            for name in self._misconceptions
            if (changed := self._changed(self.prints((name,)), own))
            and not self._changed(self.prints((name,)), still)
        }
        spare = {
            (one, two): len((moving[one] | moving[two]) - wrong)
            for one, two in combinations(moving, 2)
            if wrong <= moving[one] | moving[two] and self.patched.combine((one, two))
        }
        return [pair for pair, _ in sorted(spare.items(), key=lambda item: item[1])]

    def _changed(self, prints: Prints, among: Iterable[Key]) -> set[Key]:
        """Trials, among some, that are not answered as the reference answers them."""
        right = self.right
        return {key for key in among if not prints[key].agrees(right[key])}

    def _telling(self, entry: str, own: Prints) -> tuple[Trial, ...]:
        """The first trials of three cases in which an answer is not the reference's."""
        found: dict[str, Trial] = {}
        for trial in self._trials:
            key = trial.case, trial.variant
            if trial.entry == entry and key in own and not own[key].agrees(self.right[key]):
                found.setdefault(trial.case, trial)
        return tuple(found.values())[:3]

    def _many(
        self,
        wanted: Sequence[Ids],
        trials: tuple[Trial, ...],
        source: Callable[[Ids], str] | None = None,
    ) -> dict[Ids, dict[Key, Fingerprint]]:
        """What the reference answers under each set of patches."""
        asked = [(ids, self.patched.touched(ids, trials)) for ids in wanted]
        found: dict[Ids, dict[Key, Fingerprint]] = {}
        for (ids, own), outputs in zip(asked, self.patched.answers(asked, source), strict=True):
            right = self.right if len(own) < len(trials) else {}
            changed = {
                (trial.case, trial.variant): fingerprint(output)
                for trial, output in zip(own, outputs, strict=True)
            }
            keys = ((trial.case, trial.variant) for trial in trials)
            found[ids] = {key: changed.get(key) or right[key] for key in keys}
        return found


def _effort(trial: Trial) -> int:
    """About how long a trial takes: most of it goes by modules that are built and called."""
    calls = len(trial.calls) + 2 * (trial.probe == "gradients")
    return calls * (1 + len(trial.weights or ()))
