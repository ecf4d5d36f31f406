"""The reference with patches, run: it goes the same road as a submission.

Many patches run in one child, each as a module of its own beside the others: a patched reference is
our own code, so they need not be kept apart. A trial whose entry reaches nothing that a patch edits
is not run for it: the answer is the reference's.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from grader.errors import EngineError
from grader.load import load
from grader.mistakes.known import Ids
from grader.mutants import WRAPPED, Replacement, applied, definition, overlap, patched, replacements
from grader.types import (
    Build,
    Job,
    Limits,
    Loaded,
    Outcome,
    RawOutput,
    Rubric,
    Submission,
    SubmittedFile,
    Trial,
)

TRIALS_TOGETHER = 600
"""Trials in one child, of several patches: what an output holds on to is given back after it."""
NO_WRAPPERS: Mapping[str, str] = {}
LIMITS = Limits(seconds=600, trial_seconds=5, memory_mb=2048)

Asked = tuple[Ids, tuple[Trial, ...]]
"""Patches, and what the reference with them is asked."""


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


class PatchedReference:
    """A reference, its patches, and what it answers under some of them."""

    def __init__(
        self,
        rubric: Rubric,
        source: str,
        trials: tuple[Trial, ...],
        run: Callable[[Job], tuple[RawOutput, ...]],
        wrappers: Mapping[str, str] = NO_WRAPPERS,
    ):
        """Of an assignment.

        Args:
            rubric: its misconceptions and variants.
            source: its reference.
            trials: everything that is asked of a submission.
            run: runs a job.
            wrappers: code that defines, beside an entry, what is asked in its place.
        """
        self.rubric, self.trials, self._wrappers = rubric, trials, wrappers
        self._reference, self._run = source, run
        self.patches = patches(rubric, source)
        self._names = _names(trials)

    def code(self, ids: Ids) -> str:
        """The reference with some patches, as it is written."""
        made = [each for one in ids for each in self.patches[one].made]
        return "\n".join((applied(self._reference, made), *self._wrappers.values()))

    def entry_code(self, ids: Ids, name: str) -> str:
        """Of that the definition of one entry, with what is asked in its place."""
        return definition(self.code(ids), name) + self._wrappers.get(name, "")

    def source(self, ids: Ids) -> str:
        """The same, loaded as a submission is."""
        return self._loaded(ids).source

    def combine(self, ids: Ids) -> bool:
        """Whether no two of the patches edit the same place."""
        return not any(
            overlap(self.patches[one].made, self.patches[two].made)
            for one, two in combinations(ids, 2)
        )

    def touched(self, ids: Ids, trials: Iterable[Trial]) -> tuple[Trial, ...]:
        """Those trials in which some patches may make a difference; all where there is no patch."""
        edited = {scope for one in ids for scope in self.patches[one].scopes}
        if not edited <= self._definitions:
            return tuple(trials)
        return tuple(
            trial
            for trial in trials
            if not ids or any(not edited.isdisjoint(self._reached[name]) for name in _named(trial))
        )

    def answers(
        self, wanted: Sequence[Asked], source: Callable[[Ids], str] | None = None
    ) -> list[tuple[RawOutput, ...]]:
        """What is answered under each set of patches, in order, several of them in one child.

        Args:
            wanted: patches, and what is asked under them.
            source: makes a module of patches; by default as a submission is loaded.

        Raises:
            EngineError: they could not be run.
        """
        make = source or self.source

        def answered(chunk: list[Asked]) -> tuple[RawOutput, ...]:
            modules = {f"_{n}": make(ids) for n, (ids, _) in enumerate(chunk)}
            asked = (renamed(trial, n) for n, (_, trials) in enumerate(chunk) for trial in trials)
            return self.outputs(modules, tuple(asked))

        chunks = list(_chunks([each for each in wanted if each[1]]))
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            outputs = itertools.chain.from_iterable(threads.map(answered, chunks))
            return [tuple(itertools.islice(outputs, len(trials))) for _, trials in wanted]

    def outputs(
        self, modules: Mapping[str, str], trials: tuple[Trial, ...]
    ) -> tuple[RawOutput, ...]:
        """What modules "_0", "_1", ... answer, each asked under its number (see `renamed`).

        Raises:
            EngineError: they could not be run.
        """
        numbered = sum(name[1:].isdigit() for name in modules)
        source = _imports(self._asked, numbered)
        outputs = self._run(Job(source=source, modules=modules, trials=trials, limits=LIMITS))
        if broken := next((o for o in outputs if o.outcome is Outcome.BROKEN), None):
            raise EngineError(f"expected known mistakes to run: {broken.facts.get('reason')}")
        return outputs

    def _loaded(self, ids: Ids) -> Loaded:
        name = self.rubric.assignment
        file = SubmittedFile(name=f"{name}.py", content=self.code(ids).encode())
        submission = Submission(student="", assignment=name, path=f"{ids}", files=(file,))
        return load(submission, tuple(dict.fromkeys((*self._names, *self._asked.values()))))

    @property
    def _asked(self) -> dict[str, str]:
        """What is asked of the reference for each name."""
        wrapped = self._wrappers
        return {name: f"{WRAPPED}{name}" if name in wrapped else name for name in self._names}

    @cached_property
    def _reached(self) -> Mapping[str, frozenset[str]]:
        """The top-level definitions that each name which is asked for reaches, by that name."""
        depends = self._loaded(()).depends
        return {name: frozenset(depends.get(at, (at,))) for name, at in self._asked.items()}

    @cached_property
    def _definitions(self) -> frozenset[str]:
        return frozenset().union(*self._reached.values())


def renamed(trial: Trial, n: int) -> Trial:
    """A trial of the n-th module; what is ours needs no hiding."""
    calls = tuple(replace(call, args=_of(call.args, n)) for call in trial.calls)
    return replace(trial, entry=_name(trial.entry, n), calls=calls, hidden=False)


def _chunks(wanted: Sequence[Asked]) -> Iterator[list[Asked]]:
    chunk: list[Asked] = []
    count = 0
    for ids, trials in wanted:
        if chunk and count + len(trials) > TRIALS_TOGETHER:
            yield chunk
            chunk, count = [], 0
        chunk.append((ids, trials))
        count += len(trials)
    if chunk:
        yield chunk


def _names(trials: Iterable[Trial]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for trial in trials for name in _named(trial)))


def _named(trial: Trial) -> Iterator[str]:
    """The submission's own names that a trial asks for."""
    built = [
        value.name
        for call in trial.calls
        for value in call.args.values()
        if isinstance(value, Build)
    ]
    for name in (trial.entry, *built):
        if not name.startswith("torch."):
            yield name.partition(".")[0]


def _imports(names: Mapping[str, str], count: int) -> str:
    return "\n".join(
        f"from _{n} import {there} as {name}_{n}"
        for n in range(count)
        for name, there in names.items()
    )


def _name(entry: str, n: int) -> str:
    name, dot, method = entry.partition(".")
    return entry if name == "torch" else f"{name}_{n}{dot}{method}"


def _of(value: Any, n: int) -> Any:
    if isinstance(value, Build):
        return replace(value, name=_name(value.name, n))
    if isinstance(value, Mapping):
        return {key: _of(item, n) for key, item in value.items()}
    return value
