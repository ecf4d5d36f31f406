"""One entry as an adapter says it, ready for use: their class, its arguments, its parameters."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.adapters.axes import Unfit
from grader.adapters.calls import CallForm
from grader.adapters.expressions import names_in
from grader.adapters.expressions import value as evaluated
from grader.adapters.model import Entry
from grader.adapters.weights import WeightMap, weight_map
from grader.cases import build_key
from grader.errors import CourseError
from grader.types import Arrays, Build, Facts, Parameter

STEP = re.compile(r"\[(-?\d+)\]|\[['\"]([^'\"]*)['\"]\]|(\.\w+)|^(\w+)")

Described = Mapping[str, tuple[Parameter, ...]]
"""Parameters of the reference's classes, by `cases.build_key`."""


class Fitted:
    """One entry of an adapter."""

    def __init__(
        self,
        name: str,
        entry: Entry,
        known: Sequence[str],
        outputs: Sequence[str],
        described: Described,
        where: str,
    ):
        """Of an entry.

        Args:
            name: our name.
            entry: what the adapter says.
            known: names of our arguments.
            outputs: names of our outputs.
            described: our parameters.
            where: file and path of the entry, for messages.
        """
        self.name, self.says, self.outputs, self.where = name, entry, tuple(outputs), where
        self.form = CallForm(entry, known, outputs, where)
        self._described = described
        self._maps: dict[str, WeightMap] = {}
        self._weights: dict[int, tuple[Arrays, Arrays]] = {}

    def config(self, given: Facts) -> dict[str, Any]:
        """Our constructor's arguments, those that a case leaves out among them."""
        return {**self.says.defaults, **given}

    def map(self, given: Facts) -> WeightMap:
        """The map of the parameters of what is built with a config.

        Raises:
            CourseError: as `weight_map`.
        """
        key = build_key(self.name, given)
        if key not in self._maps:
            ours = self._described.get(key, ())
            self._maps[key] = weight_map(self.says, ours, self.config(given), self.where)
        return self._maps[key]

    def weights(self, ours: Arrays, given: Facts) -> Arrays:
        """Their parameters; the same object for the same weights, so that they travel once."""
        kept = self._weights.get(id(ours))
        if kept is None:
            kept = self._weights[id(ours)] = (ours, self.map(given).theirs(ours))
        return kept[1]

    @property
    def by_call(self) -> bool:
        """Whether their parameters are arguments of the call, as in a NumPy course."""
        if self.says.params is None or self.says.call is None:
            return False
        wanted = {"params", *self.says.params} - set(self.form.known)
        return any(text in wanted for text in _texts(self.says.call))

    def init(self, given: Facts) -> tuple[dict[str, Any], dict[str, Any]]:
        """Their constructor's arguments, and the form in which it gets them.

        Raises:
            Unfit: a case sets what they are not told.
            CourseError: an expression makes no sense.
        """
        says, ours = self.says, self.config(given)
        where = f"{self.where}.init"
        told = [*_values(says.init), *says.globals.values()]
        told += [each for values in says.config.values() for each in values.values()]
        told += [text.removeprefix("config.") for text in _texts(list(self.form.items()))]
        if says.init is None and not says.config and not says.globals and not self.by_call:
            return dict(given), {}
        mentioned = {name for each in told for name in names_in(each)}
        # A function that is handed its parameters sees every size in them.
        left = [
            n
            for n, v in given.items()
            if n not in mentioned and not (self.by_call and type(v) is int)
        ]
        if left:
            raise Unfit(f"it sets {', '.join(left)}, which `init` does not hand over")
        form: dict[str, Any] = {}
        if says.globals:
            form["globals"] = {n: evaluated(v, ours, where) for n, v in says.globals.items()}
        if says.config:
            ((form["config"], values),) = says.config.items()
            return {name: evaluated(each, ours, where) for name, each in values.items()}, form
        if isinstance(says.init, list | tuple):
            form["init"] = "position"
            ordered = [evaluated(each, ours, where) for each in says.init]
            return {f"#{index}": each for index, each in enumerate(ordered)}, form
        named = says.init or {}
        return {name: evaluated(each, ours, where) for name, each in named.items()}, form

    def build(self, ours: Build, name: str) -> Build:
        """An argument that is an instance of our class, as one of theirs.

        Raises:
            Unfit: what is done with it would go another way.
        """
        config, form = self.init(ours.config)
        if ours.weights is None:
            return replace(ours, name=name, config=config, form=form)
        parameters = self.map(ours.config)
        if ours.frozen or not parameters.moves_nothing:
            raise Unfit(
                f"it trains or counts {self.name}, and theirs has not the same numbers as ours"
            )
        if self.says.buffers:
            form = {**form, "buffers": list(self.says.buffers)}
        weights = self.weights(ours.weights, ours.config)
        return replace(ours, name=name, config=config, weights=weights, form=form)

    def picks(self) -> list[list[Any]] | None:
        """Where our outputs are in what theirs returns, in our order."""
        if self.says.returns is None:
            return None
        return [steps(self.says.returns[name], f"{self.where}.returns") for name in self.outputs]


def steps(written: Any, where: str) -> list[Any]:
    """A place in what comes back: 0, "[1][0]", "attention", ".hidden", "self.attn", "" for all."""
    if type(written) is int:
        return [written]
    if isinstance(written, list):
        return [step for each in written for step in steps(each, where)]
    if not isinstance(written, str) or STEP.sub("", written).strip():
        raise CourseError(
            f"expected a place such as 0, '[1][0]', key, .attribute or self.attribute, got "
            f"{written!r} @ {where}"
        )
    return [
        int(found[1]) if found[1] else found[2] if found[2] is not None else found[3] or found[4]
        for found in STEP.finditer(written)
    ]


def _values(written: Any) -> list[Any]:
    if isinstance(written, Mapping):
        return list(written.values())
    return list(written or ())


def _texts(written: Any) -> list[str]:
    if isinstance(written, str):
        return [written.partition(", else ")[0].strip()]
    if isinstance(written, Mapping):
        written = list(written.values())
    if isinstance(written, list | tuple):
        return [text for each in written for text in _texts(each)]
    return []
