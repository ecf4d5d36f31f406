"""Their parameters as made from ours: each of their numbers is one of ours, a sum of some, or zero.

So the map is linear, its adjoint takes gradients back, and what it leaves out can be counted. In
`params` a value is

    w_q.weight                     ours; a module's name stands for all its parameters
    w_q.weight.T                   its last two axes exchanged
    weight_ih[i f o g]             its row blocks in another order, by the names in `blocks`
    w_q.weight[{h} of n_heads]     one of so many row blocks
    bias_ih + bias_hh              a sum
    [w_q, w_k, w_v]                one below the other
    {columns: [weight_hh, weight_ih]}        side by side
    {of: w_q.weight, axes: "(n_heads d) e -> n_heads e d"}      in another layout; a list is stacked
                                             first, along a new axis in front
    {zeros: [3, hidden_size]}      what ours has not

and {n} in a key runs over the numbers that the names in its value have, or over the blocks.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.adapters.axes import Unfit, layout, to_theirs
from grader.adapters.expressions import value as evaluated
from grader.adapters.model import Entry
from grader.errors import CourseError
from grader.types import Arrays, Parameter

Indices = NDArray[np.int64]
"""Where each number of an array stands among all of ours."""
Terms = tuple[Indices, ...]
"""Arrays of one shape whose sum is meant."""

NOTHING = -1
SOURCE = re.compile(r"^([\w.{}]+?)(?:\[([^\]]+)\])?(\.T)?$")
VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightMap:
    """The map of one class, built with one config."""

    shapes: Mapping[str, tuple[int, ...]]
    """Of our parameters, in order."""
    made: Mapping[str, Terms]
    """Each of theirs."""
    absent: Mapping[str, NDArray[np.bool_]]
    """Of ours, those that theirs has none of, and where."""

    def theirs(self, ours: Arrays) -> dict[str, NDArray[np.float64]]:
        """Their parameters, from all of ours."""
        flat = np.concatenate([*(ours[name].reshape(-1) for name in self.shapes), [0.0]])
        return {
            name: np.sum([flat[term] for term in terms], axis=0)
            for name, terms in self.made.items()
        }

    def ours(self, theirs: Mapping[str, Any]) -> dict[str, NDArray[np.float64] | None]:
        """The adjoint: gradients in ours from those in theirs; None where none arrives at all."""
        size = sum(math.prod(shape) for shape in self.shapes.values())
        total, reached = np.zeros(size + 1), np.zeros(size + 1, bool)
        for name, terms in self.made.items():
            gradient = theirs.get(name)
            if gradient is not None and gradient.shape == terms[0].shape:
                for term in terms:
                    np.add.at(total, term, gradient)
                    reached[term] = True
        gradients: dict[str, NDArray[np.float64] | None] = {}
        start = 0
        for name, shape in self.shapes.items():
            end = start + math.prod(shape)
            there = reached[start:end].any()
            gradients[name] = total[start:end].reshape(shape) if there else None
            start = end
        return gradients

    def kept(self, ours: Arrays) -> dict[str, NDArray[Any]]:
        """Ours with zeros where theirs has nothing."""
        return {
            name: np.where(self.absent[name], 0.0, array) if name in self.absent else array
            for name, array in ours.items()
        }

    @property
    def gone(self) -> set[str]:
        """Ours that theirs has nothing of."""
        return {name for name, where in self.absent.items() if where.all()}

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """For each of theirs, those of ours that it is made from."""
        names = list(self.shapes)
        ends = np.cumsum([math.prod(shape) for shape in self.shapes.values()])
        return {
            theirs: tuple(
                names[at]
                for at in np.unique(
                    np.searchsorted(
                        ends, [i for term in terms for i in np.unique(term) if i >= 0], side="right"
                    )
                )
            )
            for theirs, terms in self.made.items()
        }

    @property
    def moves_nothing(self) -> bool:
        """Whether theirs holds exactly the numbers of ours, so that training goes the same way."""
        taken = np.sort(
            np.concatenate([term.reshape(-1) for t in self.made.values() for term in t])
        )
        size = sum(math.prod(shape) for shape in self.shapes.values())
        return np.array_equal(taken, np.arange(size)) and all(
            len(t) == 1 for t in self.made.values()
        )


def weight_map(
    entry: Entry, parameters: Sequence[Parameter], config: Mapping[str, Any], where: str
) -> WeightMap:
    """The map of an entry's class.

    Args:
        entry: what the adapter says of it.
        parameters: ours, as the reference has them.
        config: our constructor's arguments, defaults among them.
        where: file and path of the entry, for messages.

    Raises:
        CourseError: a name that ours has not, shapes that do not go together, or a parameter of
            ours that is left out.
    """
    shapes = {each.name: each.shape for each in parameters if not each.same_as}
    if entry.params is None:
        made = {f"{name}": name for name in shapes}
        return _compiled(entry, made, shapes, config, where)
    return _compiled(entry, entry.params, shapes, config, where)


def _compiled(
    entry: Entry,
    params: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    config: Mapping[str, Any],
    where: str,
) -> WeightMap:
    sources = _Sources(entry, shapes, config)
    absent = sources.absent(entry.absent, f"{where}.absent")
    made: dict[str, Terms] = {}
    for key, written in params.items():
        at = f"{where}.params.{key}"
        for name, each in sources.spelled_out(str(key), written, at):
            made[name] = sources.terms(each, at)
    taken = np.concatenate([[NOTHING], *(t.reshape(-1) for terms in made.values() for t in terms)])
    for name, indices in sources.ours.items():
        left = ~np.isin(indices, taken) & ~absent.get(name, np.zeros(indices.shape, bool))
        if left.any():
            part = "" if left.all() else f" ({int(left.sum())} of its {left.size} numbers)"
            raise CourseError(
                f"cannot adapt: expected every parameter of ours, but {name} {indices.shape}{part} "
                f"is left out; declare which of theirs holds it, or list it in `absent` if they "
                f"have none @ {where}.params"
            )
        both = np.isin(indices, taken) & absent.get(name, np.zeros(indices.shape, bool))
        if both.any():
            raise CourseError(
                f"expected {name} in `params` or in `absent`, got it in both @ {where}.absent"
            )
    return WeightMap(shapes=dict(shapes), made=made, absent=absent)


class _Sources:
    """Our parameters as arrays of indices, and what is made from them."""

    def __init__(
        self, entry: Entry, shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any]
    ):
        self.ours: dict[str, Indices] = {}
        self.gone: set[str] = set()
        self._blocks, self._config = entry.blocks.split(), config
        start = 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            self.ours[name] = np.arange(start, start + size).reshape(shape)
            start += size

    # -- short forms ---------------------------------------------------------------------------

    def spelled_out(self, key: str, written: Any, where: str) -> Iterator[tuple[str, Any]]:
        """Parameter by parameter: every number of a {n}, every parameter of a module."""
        for name, value in self._numbered(key, written, where):
            modules = [each for each in _names(value) if self._inside(each)]
            if not modules:
                yield name, value
                continue
            for suffix in self._inside(modules[0]):

                def longer(text: str, suffix: str = suffix) -> str:
                    found = SOURCE.match(text.strip())
                    if found is None or not self._inside(found[1]):
                        return text
                    return text.replace(found[1], f"{found[1]}.{suffix}", 1)

                longer_value = _changed(value, longer)
                if not self.gone.issuperset(_names(longer_value)):
                    yield f"{name}.{suffix}", longer_value

    def _inside(self, module: str) -> list[str]:
        """What is below a module of ours, by the rest of its name."""
        prefix = f"{module}."
        return [name.removeprefix(prefix) for name in self.ours if name.startswith(prefix)]

    def _numbered(self, key: str, written: Any, where: str) -> Iterator[tuple[str, Any]]:
        variable = VARIABLE.search(key)
        if variable is None:
            yield key, written
            return
        for number in self._range(variable[1], written, where):
            put = str(number)

            def numbered(text: str, put: str = put) -> str:
                return text.replace(variable[0], put)

            value = _changed(written, numbered)
            yield from self._numbered(key.replace(variable[0], put), value, where)

    def _range(self, variable: str, written: Any, where: str) -> list[int]:
        marked = f"{{{variable}}}"
        for text in _texts(written):
            if found := re.search(rf"\[{re.escape(marked)} of ([^\]]+)\]", text):
                return list(range(evaluated(found[1], self._config, where)))
        numbers = set()
        for name in _names(written):
            if marked in name:
                before, _, after = name.partition(marked)
                after = re.escape(VARIABLE.sub("0", after))
                pattern = re.compile(re.escape(before) + r"(\d+)" + after + r"(\.|$)")
                numbers |= {int(found[1]) for each in self.ours if (found := pattern.match(each))}
        if not numbers:
            raise CourseError(
                f"expected {marked} in the name of a parameter of ours, or as [{marked} of COUNT], "
                f"got {written!r} @ {where}"
            )
        return sorted(numbers)

    # -- values --------------------------------------------------------------------------------

    def terms(self, written: Any, where: str) -> Terms:
        """What a value in `params` stands for."""
        if isinstance(written, str):
            parts = [self._one(part.strip(), where) for part in written.split("+")]
            if len({part.shape for part in parts}) > 1:
                shapes = ", ".join(str(part.shape) for part in parts)
                raise CourseError(f"expected one shape, got {shapes} in {written!r} @ {where}")
            return tuple(parts)
        if isinstance(written, list):
            return self._joined(written, lambda each: np.concatenate(each, axis=0), where)
        if isinstance(written, Mapping):
            if set(written) == {"columns"}:
                return self._joined(
                    written["columns"], lambda each: np.concatenate(each, axis=-1), where
                )
            if set(written) == {"of", "axes"}:
                return self._laid_out(written["of"], written["axes"], where)
            if set(written) == {"zeros"}:
                shape = evaluated(written["zeros"], self._config, where)
                return (np.full(shape, NOTHING, np.int64),)
        raise CourseError(
            "expected a name of ours, a list, {columns: ...}, {of: ..., axes: ...} or "
            f"{{zeros: ...}}, got {written!r} @ {where}"
        )

    def _joined(
        self, parts: Any, join: Callable[[Sequence[Indices]], Indices], where: str
    ) -> Terms:
        if not isinstance(parts, list) or not parts:
            raise CourseError(f"expected a list, got {parts!r} @ {where}")
        each = [self.terms(part, where) for part in parts]
        most = max(map(len, each))
        padded = [(*t, *[np.full_like(t[0], NOTHING)] * (most - len(t))) for t in each]
        try:
            return tuple(join(column) for column in zip(*padded, strict=True))
        except ValueError as error:
            shapes = ", ".join(
                f"{_said(part)} {terms[0].shape}" for part, terms in zip(parts, each, strict=True)
            )
            raise CourseError(
                f"expected shapes that go together, got {shapes} @ {where}"
            ) from error

    def _laid_out(self, of: Any, axes: Any, where: str) -> Terms:
        terms = self._joined(of, np.stack, where) if isinstance(of, list) else self.terms(of, where)
        how = layout(str(axes), where)
        numbers = {n: v for n, v in self._config.items() if type(v) is int}
        try:
            return tuple(to_theirs(term, how, numbers) for term in terms)
        except Unfit as error:
            raise CourseError(f"{_said(of)}: {error} @ {where}") from error

    def _one(self, text: str, where: str) -> Indices:
        found = SOURCE.match(text)
        if found is None or found[1] not in self.ours:
            known = ", ".join(self.ours)
            raise CourseError(f"expected a parameter of ours among {known}, got {text!r} @ {where}")
        indices = self.ours[found[1]]
        if found[2]:
            indices = self._selected(indices, found[1], found[2], where)
        if found[3] and indices.ndim > 1:
            indices = indices.swapaxes(-1, -2)
        return indices

    def _selected(self, indices: Indices, name: str, which: str, where: str) -> Indices:
        chosen, _, count = which.partition(" of ")
        number = evaluated(count, self._config, where) if count else len(self._blocks)
        known = list(map(str, range(number))) if count else self._blocks
        wanted = chosen.split()
        if not number or len(indices) % number or not set(wanted) <= set(known):
            raise CourseError(
                "expected some of the row blocks "
                f"{' '.join(known) or '(name them in `blocks`)'} of "
                f"{name} {indices.shape}, got [{which}] @ {where}"
            )
        rows = np.split(indices, number)
        return np.concatenate([rows[known.index(each)] for each in wanted])

    def absent(self, listed: Sequence[str], where: str) -> dict[str, NDArray[np.bool_]]:
        """Which of ours theirs has none of; names may hold *."""
        found: dict[str, NDArray[np.bool_]] = {}
        for text in listed:
            pattern, _, which = text.partition("[")
            names = [name for name in self.ours if fnmatchcase(name, pattern)]
            if not names:
                known = ", ".join(self.ours)
                raise CourseError(
                    f"expected a parameter of ours among {known}, got {text!r} @ {where}"
                )
            for name in names:
                gone = self.ours[name]
                if which:
                    gone = self._selected(gone, name, which.rstrip("]"), where)
                mask = np.isin(self.ours[name], gone)
                found[name] = mask | found.get(name, np.zeros(mask.shape, bool))
        self.gone = {name for name, mask in found.items() if mask.all()}
        return found


def _texts(written: Any) -> Iterator[str]:
    """The texts of a value that name something of ours."""
    if isinstance(written, str):
        yield from (part.strip() for part in written.split("+"))
    elif isinstance(written, list):
        for each in written:
            yield from _texts(each)
    elif isinstance(written, Mapping):
        for key in ("columns", "of"):
            yield from _texts(written.get(key))


def _names(written: Any) -> list[str]:
    found = (SOURCE.match(text) for text in _texts(written))
    return [match[1] for match in found if match is not None]


def _changed(written: Any, change: Callable[[str], str]) -> Any:
    """A value with each of its texts changed."""
    if isinstance(written, str):
        return " + ".join(change(part.strip()) for part in written.split("+"))
    if isinstance(written, list):
        return [_changed(each, change) for each in written]
    if isinstance(written, Mapping):
        return {
            key: _changed(each, change) if key in ("columns", "of") else each
            for key, each in written.items()
        }
    return written


def _said(written: Any) -> str:
    return written if isinstance(written, str) else repr(written)[:80]
