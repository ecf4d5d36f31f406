"""One call on its way to their code and back: arguments there, outputs and gradients here.

In `call` an argument is

    x, state[0], state             one of ours, or a part of it
    mask, else ones(b 1 q k)       the same, and what stands in where a case gives none: zeros, ones
    [state[0], state[1]]           a tuple
    Wx                             a parameter of theirs, by its name in `params`; params for a dict
                                   of all
    config.n_heads                 a constructor's argument of ours, or an expression over some
    true, 0.1, "'text'"            itself
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.adapters.axes import Unfit, bind, layout, to_ours, to_theirs
from grader.adapters.expressions import names_in
from grader.adapters.expressions import value as evaluated
from grader.adapters.masks import CONVENTIONS
from grader.adapters.model import Entry
from grader.errors import CourseError
from grader.types import Arrays, Call, Named

PATH = re.compile(r"^(\w+)((?:\[\d+\])*)$")
FALLBACK = re.compile(r"^(zeros|ones)\(([\w ]*)\)$")
TEXT = re.compile(r"^'([^']*)'$|^\"([^\"]*)\"$")
MISSING = object()
"""What an argument is that a case does not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The arguments of one call of theirs."""

    args: Mapping[str, Any]
    """By name, those by position first, called "#0", "#1", ..."""
    positional: int
    """How many of them are by position."""
    origin: Mapping[str, str]
    """For each path in them that holds an array of ours, its path there."""


class CallForm:
    """How one entry is called, as its adapter says it."""

    def __init__(self, entry: Entry, known: Sequence[str], outputs: Sequence[str], where: str):
        """Of an entry.

        Args:
            entry: what the adapter says.
            known: names of our arguments.
            outputs: names of our outputs.
            where: file and path of the entry, for messages.

        Raises:
            CourseError: something in it makes no sense.
        """
        self.entry, self.where, self.known = entry, where, tuple(known)
        for path, convention in entry.masks.items():
            if convention not in CONVENTIONS:
                said = ", ".join(map(repr, CONVENTIONS))
                raise CourseError(
                    f"expected one of {said}, got {convention!r} @ {where}.masks.{path}"
                )
        for path in (*entry.axes, *entry.masks):
            if path.partition("[")[0] not in (*known, *outputs):
                said = ", ".join((*known, *outputs))
                raise CourseError(f"expected one of ours among {said}, got {path!r} @ {where}.axes")
        self.layouts = {
            path: layout(text, f"{where}.axes.{path}") for path, text in entry.axes.items()
        }

    @cached_property
    def looped(self) -> str:
        """The axis that theirs has not, so that it is called item by item; "" where there is none.

        Raises:
            CourseError: there are several.
        """
        dropped = {
            name
            for path, how in self.layouts.items()
            if path not in self.entry.masks
            for name in how.dropped
        }
        if len(dropped) > 1:
            said = ", ".join(sorted(dropped))
            raise CourseError(
                f"expected at most one axis without a place, got {said} @ {self.where}"
            )
        return next(iter(dropped), "")

    def items(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as they are written, by position and by keyword."""
        written = self.entry.call
        if written is None:
            return [], {name: name for name in self.known}
        if isinstance(written, Mapping):
            return [], dict(written)
        ordered = list(written)
        named = dict(ordered.pop()) if ordered and isinstance(ordered[-1], Mapping) else {}
        return ordered, named


class Crossing:
    """One call of ours with the lengths of its axes."""

    def __init__(self, form: CallForm, call: Call, config: Mapping[str, Any], weights: Arrays):
        """Of a call.

        Args:
            form: how theirs is called.
            call: ours.
            config: our constructor's arguments.
            weights: their parameters.

        Raises:
            Unfit: an argument's axes are not those of its layout.
        """
        self._form, self._call, self._config, self._weights = form, call, config, weights
        lengths = {name: value for name, value in config.items() if type(value) is int}
        for path, array in call.arrays().items():
            if path in form.layouts and path not in form.entry.masks:
                try:
                    lengths = bind(form.layouts[path].ours, array.shape, lengths)
                except Unfit as error:
                    raise Unfit(f"{path}: {error}") from error
        self.lengths = lengths

    @property
    def items(self) -> int:
        """How many calls of theirs it takes."""
        return self.lengths.get(self._form.looped, 1)

    def sent(self, item: int = 0) -> Sent:
        """The arguments of one of them.

        Raises:
            Unfit: an argument can't be written in their form, or has no place in it.
            CourseError: the form makes no sense.
        """
        ordered, named = self._form.items()
        origin: dict[str, str] = {}
        positional: dict[str, Any] = {}
        for index, written in enumerate(ordered):
            value = self._value(written, f"#{index}", item, origin)
            positional[f"#{index}"] = value
        while positional and list(positional.values())[-1] is MISSING:
            positional.popitem()
        args = {name: None if each is MISSING else each for name, each in positional.items()}
        for name, written in named.items():
            value = self._value(written, name, item, origin)
            if value is not MISSING:
                args[name] = value
        before = self._form.entry.includes.before if self._form.entry.includes else {}
        taken = {name for name, written in before.items() if name not in names_in(written)}
        taken |= {path.partition("[")[0] for path in self._mentioned((ordered, named))}
        left = [n for n, v in self._call.args.items() if n not in taken and v is not None]
        if left:
            raise Unfit(f"it gives {', '.join(left)}, which `call` does not hand over")
        return Sent(args=args, positional=len(positional), origin=origin)

    def _mentioned(self, written: Any) -> list[str]:
        if isinstance(written, str):
            return [written.partition(", else ")[0]]
        if isinstance(written, list | tuple):
            return [path for each in written for path in self._mentioned(each)]
        if isinstance(written, Mapping):
            return [path for each in written.values() for path in self._mentioned(each)]
        return []

    def _value(self, written: Any, path: str, item: int, origin: dict[str, str]) -> Any:
        if isinstance(written, list):
            parts = [
                self._value(each, f"{path}[{n}]", item, origin) for n, each in enumerate(written)
            ]
            return MISSING if any(part is MISSING for part in parts) else tuple(parts)
        if not isinstance(written, str):
            return written
        where = f"{self._form.where}.call"
        text, _, otherwise = (part.strip() for part in written.partition(", else "))
        if text == "params":
            return Named(values=self._weights)
        if found := TEXT.match(text):
            return found[1] if found[1] is not None else found[2]
        if text in self._weights and text not in self._form.known:
            return self._weights[text]
        if text.startswith("config."):
            return evaluated(text.removeprefix("config."), self._config, where)
        value = self._ours(text, where)
        if value is MISSING and otherwise:
            value = self._fallback(otherwise, text, where)
        return value if value is MISSING else self._theirs(value, text, path, item, origin)

    def _ours(self, text: str, where: str) -> Any:
        found = PATH.match(text)
        if found is None or found[1] not in self._form.known:
            known = ", ".join((*self._form.known, *self._weights))
            raise CourseError(f"expected an argument of ours among {known}, got {text!r} @ {where}")
        value = self._call.args.get(found[1])
        for index in re.findall(r"\d+", found[2]):
            value = value[int(index)] if isinstance(value, tuple) else None
        return MISSING if value is None else value

    def _fallback(self, written: str, path: str, where: str) -> Any:
        found = FALLBACK.match(written)
        names = found[2].split() if found else []
        missing = [n for n in names if not n.isdecimal() and n not in self.lengths]
        if found is None or missing:
            raise CourseError(
                f"expected zeros(AXES) or ones(AXES) with axes that are known here "
                f"({', '.join(self.lengths)}), got {written!r} @ {where}"
            )
        shape = [int(name) if name.isdecimal() else self.lengths[name] for name in names]
        dtype = bool if path in self._form.entry.masks else float
        return np.zeros(shape, dtype) if found[1] == "zeros" else np.ones(shape, dtype)

    def _theirs(self, value: Any, ours: str, path: str, item: int, origin: dict[str, str]) -> Any:
        if isinstance(value, tuple):
            return tuple(
                self._theirs(each, f"{ours}[{n}]", f"{path}[{n}]", item, origin)
                for n, each in enumerate(value)
            )
        origin[path] = ours
        return self._array(value, ours, item) if isinstance(value, np.ndarray) else value

    def _array(self, array: NDArray[Any], path: str, item: int) -> NDArray[Any]:
        """One array of ours as theirs."""
        how, looped = self._form.layouts.get(path), self._form.looped
        mask = path in self._form.entry.masks
        try:
            if how is not None and looped and (looped,) in how.ours:
                at = how.ours.index((looped,))
                if mask:
                    array = array.reshape((1,) * (len(how.ours) - array.ndim) + array.shape)
                array = array.take(item if array.shape[at] > 1 else 0, at)
                how = how.without(looped)
            if how is not None:
                array = to_theirs(array, how, self.lengths, spread=mask)
        except Unfit as error:
            raise Unfit(f"{path}: {error}") from error
        return CONVENTIONS[self._form.entry.masks[path]](array) if mask else array

    # -- back ----------------------------------------------------------------------------------

    def upstream(self, name: str, cotangent: NDArray[Any], item: int) -> NDArray[Any]:
        """A cotangent of an output of ours as one of theirs."""
        return self._array(cotangent, name, item)

    def per_item(self, name: str) -> bool:
        """Whether each item has its own of an argument or output."""
        how = self._form.layouts.get(name)
        return how is not None and (self._form.looped,) in how.ours

    def back(self, name: str, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """An array of ours, an argument or an output, from theirs: one for each item.

        Raises:
            Unfit: theirs is of another shape.
        """
        how, looped = self._form.layouts.get(name), self._form.looped
        if how is None or name in self._form.entry.masks:
            return arrays[0]
        if not looped or (looped,) not in how.ours:
            return to_ours(arrays[0], how, self.lengths)
        at = how.ours.index((looped,))
        single = how.without(looped)
        known = {n: v for n, v in self.lengths.items() if n != looped}
        return np.stack([to_ours(array, single, known) for array in arrays], axis=at)
