"""Every known mistake, run: a patched reference goes the same road as a submission.

Many patches run in one child, each as a module of its own beside the others: a patched reference is
our own code, so they need not be kept apart.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from grader.errors import EngineError
from grader.fingerprints import Fingerprint, Key, fingerprint
from grader.load import load
from grader.mistakes.known import Ids, Prints, Store
from grader.mutants import WRAPPED, Replacement, applied, definition, overlap, patched, replacements
from grader.types import (
    Build,
    Job,
    Limits,
    Outcome,
    RawOutput,
    Rubric,
    Submission,
    SubmittedFile,
    Trial,
)

TRIALS_TOGETHER = 600
"""Trials in one child, of several patches: what an output holds on to is given back after it."""
DEFINITIONS_TOGETHER = 120
MOST_PAIRS = 800
"""Pairs of which neither is known already that are tried for one question, those first that change
little else: some seconds, once. Of one entry's own mistakes there are at most 775 (LSTMCell)."""
NO_WRAPPERS: Mapping[str, str] = {}
LIMITS = Limits(seconds=600, trial_seconds=5, memory_mb=2048)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One misconception or variant at its places in the reference."""

    id: str
    """Its name."""
    made: tuple[Replacement, ...]
    """Its edits."""
    scopes: frozenset[str]
    """The top-level names that it edits."""


def patches(rubric: Rubric, source: str) -> dict[str, Patch]:
    """Every misconception, variant and harmless form of a rubric at its place, by id.

    Raises:
        CourseError: an edit does not fit the reference.
    """
    found = {}
    for each in rubric.patches:
        where = f"rubrics/{rubric.assignment}.yaml {each.id}"
        made = replacements(source, each.edits, where)
        patched(source, made, where)
        scopes = frozenset(edit.scope.partition(".")[0] for edit in each.edits)
        found[each.id] = Patch(id=each.id, made=made, scopes=scopes)
    return found


class FromReference:
    """Runs patched references when they are asked for, and keeps what they answered."""

    def __init__(
        self,
        rubric: Rubric,
        source: str,
        trials: tuple[Trial, ...],
        run: Callable[[Job], tuple[RawOutput, ...]],
        store: Store,
        wrappers: Mapping[str, str] = NO_WRAPPERS,
    ):
        """Of an assignment.

        Args:
            rubric: its misconceptions and variants.
            source: its reference.
            trials: everything that is asked of a submission.
            run: runs a job.
            store: keeps fingerprints.
            wrappers: code that defines, beside an entry, what is asked in its place.
        """
        self._wrappers = wrappers
        self._rubric, self._source, self._run, self._store = rubric, source, run, store
        self._trials = tuple(trial for trial in trials if trial.probe != "describe")
        self._keys = {(trial.case, trial.variant) for trial in self._trials}
        self._patches = patches(rubric, source)
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
                wanted = [ids] if len(ids) > 1 else [(), *((name,) for name in self._patches)]
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
            for ids, prints in self._many(waiting, (trial,), self.code).items():
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
            if name not in ids and self._combine((*ids, name))
        ]
        # Most are seen where each is seen first by itself; the rest is asked everything.
        rest: dict[Ids, list[str]] = {}
        for ids, name in self._hidden_at_first(asked, entry, seen_at):
            rest.setdefault(ids, []).append(name)
        hiding: set[Ids] = set()
        while rest:
            # One mistake of each at a time: the first that stays hidden settles it.
            tried = {(*ids, names.pop()): ids for ids, names in rest.items()}
            for both, prints in self._many(list(tried), trials, self.code).items():
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
            modules = {f"_base{n}": self.code(ids) for n, ids in enumerate(bases)}
            for n, (ids, name) in enumerate(chunk):
                own = definition(self.code((*ids, name)), top) + self._wrappers.get(top, "")
                modules[f"_{n}"] = f"from _base{bases.index(ids)} import *\n\n{own}"
            trials = tuple(_renamed(by_key[seen_at[name]], n) for n, (_, name) in enumerate(chunk))
            for (ids, name), output in zip(chunk, self._outputs(modules, trials), strict=True):
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

    def _combine(self, ids: Ids) -> bool:
        return not any(
            overlap(self._patches[one].made, self._patches[two].made)
            for one, two in combinations(ids, 2)
        )

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
            if wrong <= moving[one] | moving[two] and self._combine((one, two))
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
        """What the reference answers under each set of patches, some of them in one child."""
        found: dict[Ids, dict[Key, Fingerprint]] = {}
        size = max(1, TRIALS_TOGETHER // max(1, len(trials)))
        chunks = [wanted[at : at + size] for at in range(0, len(wanted), size)]
        source = source or self.source
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            answers = threads.map(lambda chunk: self._answers(chunk, trials, source), chunks)
            for chunk, outputs in zip(chunks, answers, strict=True):
                for n, ids in enumerate(chunk):
                    own = outputs[n * len(trials) : (n + 1) * len(trials)]
                    found[ids] = {
                        (trial.case, trial.variant): fingerprint(output)
                        for trial, output in zip(trials, own, strict=True)
                    }
        return found

    def _answers(
        self, chunk: Sequence[Ids], trials: tuple[Trial, ...], source: Callable[[Ids], str]
    ) -> tuple[RawOutput, ...]:
        modules = {f"_{n}": source(ids) for n, ids in enumerate(chunk)}
        return self._outputs(
            modules, tuple(_renamed(trial, n) for n in range(len(chunk)) for trial in trials)
        )

    def _outputs(
        self, modules: Mapping[str, str], trials: tuple[Trial, ...]
    ) -> tuple[RawOutput, ...]:
        """What modules "_0", "_1", ... answer, each asked under its number."""
        numbered = sum(name[1:].isdigit() for name in modules)
        source = _imports(self._names, numbered, self._wrappers)
        outputs = self._run(Job(source=source, modules=modules, trials=trials, limits=LIMITS))
        if broken := next((o for o in outputs if o.outcome is Outcome.BROKEN), None):
            raise EngineError(f"expected known mistakes to run: {broken.facts.get('reason')}")
        return outputs

    def source(self, ids: Ids) -> str:
        """The reference with some patches, loaded as a submission is."""
        name = self._rubric.assignment
        file = SubmittedFile(name=f"{name}.py", content=self.code(ids).encode())
        submission = Submission(student="", assignment=name, path=f"{ids}", files=(file,))
        beside = [f"{WRAPPED}{name}" for name in self._wrappers]
        return load(submission, (*self._names, *beside)).source

    def code(self, ids: Ids) -> str:
        """The same as it is written; enough to screen many, which are then run as loaded."""
        made = [each for one in ids for each in self._patches[one].made]
        return "\n".join((applied(self._source, made), *self._wrappers.values()))

    @property
    def _names(self) -> tuple[str, ...]:
        built = [
            value.name
            for trial in self._trials
            for call in trial.calls
            for value in call.args.values()
            if isinstance(value, Build)
        ]
        named = [name.partition(".")[0] for name in (*(t.entry for t in self._trials), *built)]
        return tuple(dict.fromkeys(name for name in named if name != "torch"))


def _effort(trial: Trial) -> int:
    """About how long a trial takes: most of it goes by modules that are built and called."""
    calls = len(trial.calls) + 2 * (trial.probe == "gradients")
    return calls * (1 + len(trial.weights or ()))


def _imports(names: Iterable[str], count: int, wrappers: Mapping[str, str]) -> str:
    asked = {name: f"{WRAPPED}{name}" if name in wrappers else name for name in names}
    return "\n".join(
        f"from _{n} import {there} as {name}_{n}"
        for n in range(count)
        for name, there in asked.items()
    )


def _renamed(trial: Trial, n: int) -> Trial:
    """A trial of the n-th module."""
    calls = tuple(replace(call, args=_of(call.args, n)) for call in trial.calls)
    return replace(trial, entry=_name(trial.entry, n), calls=calls, hidden=False)


def _name(entry: str, n: int) -> str:
    name, dot, method = entry.partition(".")
    return entry if name == "torch" else f"{name}_{n}{dot}{method}"


def _of(value: Any, n: int) -> Any:
    if isinstance(value, Build):
        return replace(value, name=_name(value.name, n))
    if isinstance(value, Mapping):
        return {key: _of(item, n) for key, item in value.items()}
    return value
