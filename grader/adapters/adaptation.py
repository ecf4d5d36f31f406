"""An assignment under an adapter: what is asked, of whom, and how answers come back."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.adapters.axes import Unfit
from grader.adapters.entries import Described, Fitted
from grader.adapters.model import Written
from grader.adapters.passage import Passage, back, passage
from grader.adapters.questions import expanded, nested, renamed, slopes
from grader.adapters.reference import adapted_rubric, kept_outputs, wrappers
from grader.adapters.weights import WeightMap
from grader.errors import CourseError
from grader.load import Preference, load
from grader.mutants import WRAPPED
from grader.types import (
    Arrays,
    Build,
    Call,
    Expected,
    Job,
    Leaf,
    Loaded,
    Outcome,
    Parameter,
    RawOutput,
    Rubric,
    Setting,
    Submission,
    SubmittedFile,
    Trial,
)

Run = Callable[[Job], tuple[RawOutput, ...]]
Ask = Callable[[tuple[Trial, ...]], tuple[RawOutput, ...]]
Settings = Mapping[str, Setting]

MOST_KEPT = 20_000
"""Questions whose way is remembered; all that a class is asked, and more."""


@dataclass(slots=True, kw_only=True, eq=False)
class Adaptation:
    """What an adapter makes of an assignment; without one, nothing changes."""

    wrappers: Mapping[str, str] = field(default_factory=dict)
    """Code beside the reference, for entries that do something besides or return less."""
    written: Written | None = None
    """The adapter."""
    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of our arguments, by entry."""
    _fitted: dict[str, Fitted] = field(default_factory=dict)
    _given: dict[int, tuple[Arrays, WeightMap]] = field(default_factory=dict)
    """Weights that the reference is given, by identity, each with the map it goes through."""
    _ways: dict[tuple[int, tuple[str, ...]], Passage] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Hash of the adapter; "" without one."""
        return "" if self.written is None else self.written.digest

    # -- what is asked -------------------------------------------------------------------------

    def rubric(self, given: Rubric) -> Rubric:
        """What is asked of an assignment.

        Raises:
            CourseError: the adapter names what is not there.
        """
        return given if self.written is None else adapted_rubric(given, self.written)

    def fit(self, rubric: Rubric, described: Described) -> None:
        """Takes in what is asked, and what parameters the reference has.

        Raises:
            CourseError: the adapter makes no sense.
        """
        if self.written is None or self._fitted:
            return
        for name, says in self.written.says.entries.items():
            where = f"{self.written.path} $.entries.{name}"
            outputs = kept_outputs(rubric, name, says, where)
            self._fitted[name] = Fitted(name, says, self.arguments[name], outputs, described, where)

    def constrained(self, trial: Trial) -> Trial:
        """The question with zeros where theirs has no parameter."""
        calls = tuple(
            replace(call, args={name: self._kept(each) for name, each in call.args.items()})
            for call in trial.calls
        )
        fitted = self._fitted.get(trial.entry)
        if fitted is None or not trial.weights:
            return replace(trial, calls=calls)
        parameters = fitted.map(trial.config)
        weights = parameters.kept(trial.weights)
        self._given[id(weights)] = (weights, parameters)
        return replace(trial, weights=weights, calls=calls)

    def _kept(self, value: Any) -> Any:
        fitted = self._fitted.get(value.name) if isinstance(value, Build) else None
        if fitted is None or not value.weights:
            return value
        return replace(value, weights=fitted.map(value.config).kept(value.weights))

    def narrowed(
        self, trial: Trial, leaves: tuple[tuple[Leaf, ...], ...], ours: tuple[Parameter, ...]
    ) -> Expected:
        """What the reference gives, without the parameters that theirs has not."""
        fitted = self._fitted.get(trial.entry)
        gone = fitted.map(trial.config).gone if fitted and trial.weights else set()
        kept = tuple(each for each in ours if each.name not in gone)
        return Expected(leaves=leaves, parameters=kept)

    def reference(self, file: SubmittedFile) -> SubmittedFile:
        """The reference, with what stands beside it."""
        code = b"\n".join((file.content, *(text.encode() for text in self.wrappers.values())))
        return replace(file, content=code)

    @property
    def beside(self) -> dict[str, str]:
        """What is asked of the reference in place of an entry, by the entry's name."""
        return {name: f"{WRAPPED}{name}" for name in self.wrappers}

    def running(self, run: Run) -> Run:
        """Runs the reference, with what stands beside it in an entry's place."""
        narrowed = self.narrowing(run)

        def ran(job: Job) -> tuple[RawOutput, ...]:
            trials = tuple(renamed(trial, self.beside) for trial in job.trials)
            return narrowed(replace(job, trials=trials))

        return ran if self.wrappers else narrowed

    def narrowing(self, run: Run) -> Run:
        """Runs a job, and leaves out gradients in parameters that theirs has not."""
        if self.written is None:
            return run

        def narrowed(job: Job) -> tuple[RawOutput, ...]:
            return tuple(
                replace(output, gradients=self._reached(trial, output.gradients))
                if output.gradients
                else output
                for trial, output in zip(job.trials, run(job), strict=True)
            )

        return narrowed

    def _reached(
        self, trial: Trial, gradients: Mapping[str, NDArray[Any] | None]
    ) -> dict[str, NDArray[Any] | None]:
        _, parameters = self._given.get(id(trial.weights), (None, None))
        if parameters is None:
            return dict(gradients)
        return {
            name: np.where(parameters.absent[name], 0.0, gradient)
            if name in parameters.absent and gradient is not None
            else gradient
            for name, gradient in gradients.items()
            if name not in parameters.gone
        }

    def verify(self, trials: Sequence[Trial]) -> None:
        """Sees that theirs can express every question.

        Raises:
            CourseError: it can't; each case is named with the reason.
        """
        if self.written is None:
            return
        wrong: dict[tuple[str, str], str] = {}
        for trial in trials:
            for each in expanded(trial):
                try:
                    self._way(each, {name: name for name in self._fitted})
                except Unfit as error:
                    wrong.setdefault((each.entry, each.case), str(error))
        if wrong:
            said = [
                f"cannot adapt: case {case!r}: {reason}; say how, or list it in `skip` "
                f"@ {self._fitted[entry].where}"
                for (entry, case), reason in wrong.items()
            ]
            raise CourseError("\n".join(said))

    # -- of whom -------------------------------------------------------------------------------

    def names(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """Names to look for in a submission, in place of our entries'."""
        if self.written is None:
            return wanted
        found: list[str] = []
        for name in wanted:
            says = self.written.says.entries.get(name)
            found += [*(says.name if says and says.name else (name,))]
        for says in self.written.says.entries.values():
            found += [*says.name, *says.config, *([says.backward.name] if says.backward else [])]
        top = [name.partition(".")[0] for name in found if not name.startswith("torch.")]
        return tuple(dict.fromkeys(top))

    def chosen(self, loaded: Loaded) -> dict[str, str]:
        """For each entry the name of theirs: the first that the file defines."""
        if self.written is None:
            return {}
        there = set(loaded.names)
        chosen = {}
        for name, says in self.written.says.entries.items():
            tried = says.name or (name,)
            fitting = (n for n in tried if n.partition(".")[0] in {*there, "torch"})
            chosen[name] = next(fitting, tried[0])
        return chosen

    def seen(self, loaded: Loaded) -> Loaded:
        """What was loaded, with what our entries depend on."""
        depends = dict(loaded.depends)
        for ours, theirs in self.chosen(loaded).items():
            top = theirs.partition(".")[0]
            depends[ours.partition(".")[0]] = loaded.depends.get(top, (top,))
        return replace(loaded, depends=depends)

    def load(
        self,
        submission: Submission,
        wanted: tuple[str, ...],
        *,
        skeleton: bytes | None,
        prefer: Preference,
        everything: bool,
    ) -> Loaded:
        """A submission made ready, as `grader.load.load` does it, with what our entries depend on.

        Raises:
            SubmissionError: as there.
        """
        names = self.names(wanted)
        loaded = load(submission, names, skeleton=skeleton, prefer=prefer, everything=everything)
        return self.seen(loaded)

    @contextmanager
    def asking(
        self, opened: AbstractContextManager[Ask], loaded: Loaded, settings: Settings
    ) -> Iterator[Ask]:
        """A conversation in their form; what comes back is in ours."""
        with opened as ask:
            yield ask if self.written is None else self._asked(ask, loaded, settings)

    def _asked(self, ask: Ask, loaded: Loaded, settings: Settings) -> Ask:
        names = self.chosen(loaded)

        def asked(trials: tuple[Trial, ...]) -> tuple[RawOutput, ...]:
            outputs: list[RawOutput] = []
            for _, group in itertools.groupby(trials, key=lambda trial: trial.hidden):
                outputs += self._answers(list(group), ask, names, settings)
            return tuple(outputs)

        return asked

    def telling(self, trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
        """The questions that tell known mistakes: not those to a backward pass written by hand,
        which may well be right where its forward is wrong."""
        by_hand = {name for name, each in self._fitted.items() if each.says.backward}
        return tuple(t for t in trials if t.probe != "gradients" or t.entry not in by_hand)

    # -- how -----------------------------------------------------------------------------------

    def _answers(
        self, trials: list[Trial], ask: Ask, names: Mapping[str, str], settings: Settings
    ) -> list[RawOutput]:
        parts = [expanded(trial) for trial in trials]
        came = iter(self._in_turn([each for part in parts for each in part], ask, names, settings))
        return [
            slopes(trial, list(itertools.islice(came, len(part))))
            if trial.probe == "slopes"
            else next(came)
            for trial, part in zip(trials, parts, strict=True)
        ]

    def _in_turn(
        self, trials: list[Trial], ask: Ask, names: Mapping[str, str], settings: Settings
    ) -> list[RawOutput]:
        """A call that goes on from the one before is asked once that has answered."""
        feeding = [n for n, trial in enumerate(trials) if any(c.feed for c in trial.calls)]
        first = [
            replace(trial, calls=trial.calls[:1]) if n in feeding else trial
            for n, trial in enumerate(trials)
        ]
        outputs = self._plain(first, ask, names, settings)
        for n in feeding:
            for call in trials[n].calls[1:]:
                if outputs[n].outcome is not Outcome.OK:
                    break
                before = outputs[n].leaves
                fed = {name: nested(before[-1], index) for name, index in call.feed.items()}
                going_on = replace(trials[n], calls=(Call(args={**call.args, **fed}),))
                (output,) = self._plain([going_on], ask, names, settings)
                outputs[n] = replace(output, leaves=(*before, *output.leaves))
        return outputs

    def _plain(
        self, trials: list[Trial], ask: Ask, names: Mapping[str, str], settings: Settings
    ) -> list[RawOutput]:
        ways: list[Passage | RawOutput] = []
        for trial in trials:
            try:
                ways.append(self._way(trial, names))
            except Unfit as error:
                # Only what depends on an answer of theirs can still fail to fit here.
                facts = {"entry": trial.entry, "reason": "outputs", "got": str(error)}
                ways.append(RawOutput(outcome=Outcome.UNREADABLE, facts=facts))
        asked = [each for way in ways if isinstance(way, Passage) for each in way.theirs]
        came = iter(ask(tuple(asked)))
        return [
            back(way, list(itertools.islice(came, len(way.theirs))), settings[way.ours.case])
            if isinstance(way, Passage)
            else way
            for way in ways
        ]

    def _way(self, trial: Trial, names: Mapping[str, str]) -> Passage:
        key = (id(trial), tuple(names.values()))
        kept = self._ways.get(key)
        if kept is None or kept.ours is not trial:
            kept = passage(trial, self._fitted[trial.entry], names, self._fitted)
            if len(self._ways) >= MOST_KEPT:
                self._ways.clear()
            self._ways[key] = kept
        return kept


def adaptation(rubric: Rubric, reference: str, written: Written | None) -> Adaptation:
    """What an adapter makes of an assignment.

    Args:
        rubric: the assignment's own.
        reference: its reference.
        written: the adapter, if there is one.

    Raises:
        CourseError: the adapter makes no sense.
    """
    if written is None:
        return AS_GIVEN
    arguments = {
        name: tuple(dict.fromkeys(arg for c in rubric.cases if c.entry == name for arg in c.args))
        for name in written.says.entries
    }
    beside = wrappers(rubric, reference, written)
    return Adaptation(wrappers=beside, written=written, arguments=arguments)


AS_GIVEN = Adaptation()
"""Without an adapter."""
