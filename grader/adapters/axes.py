"""How the axes of an array are laid out: "b t i -> t b i", ours on the left, theirs on the right.

An axis is a name, a product of names in parentheses (the last one runs fastest), or 1. A name that
stands on the left only is left out: an array that does not depend on it (a mask) is the same
without it, and any other is handed over item by item.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import CourseError

Axis = tuple[str, ...]
"""The names whose product an axis is; none for an axis of length 1."""

TOKEN = re.compile(r"\(([\w ]*)\)|(\w+)")


class Unfit(Exception):
    """An array that is not laid out as it should be; the text says how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One array's axes on both sides."""

    ours: tuple[Axis, ...]
    """As the assignment has them."""
    theirs: tuple[Axis, ...]
    """As the student's code has them."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names that stand on our side only."""
        kept = {name for axis in self.theirs for name in axis}
        return tuple(name for axis in self.ours for name in axis if name not in kept)

    def without(self, name: str) -> "Layout":
        """The layout of one item along an axis of ours."""
        return Layout(ours=tuple(axis for axis in self.ours if axis != (name,)), theirs=self.theirs)


def layout(text: str, where: str) -> Layout:
    """What is written "ours -> theirs"; one side alone stands for both.

    Raises:
        CourseError: it is not written like that.
    """
    sides = [side.strip() for side in text.split("->")]
    ours, theirs = (sides * 2)[:2]
    read = Layout(ours=_axes(ours, where), theirs=_axes(theirs, where))
    for side in (read.ours, read.theirs):
        names = [name for axis in side for name in axis]
        if len(set(names)) != len(names):
            raise CourseError(f"expected each axis once, got {text!r} @ {where}")
    new = {name for axis in read.theirs for name in axis} - {n for axis in read.ours for n in axis}
    if len(sides) > 2 or new:
        said = (
            f"axes of ours on the right, got {', '.join(sorted(new))} in" if new else "one ->, got"
        )
        raise CourseError(f"expected {said} {text!r} @ {where}")
    return read


def _axes(text: str, where: str) -> tuple[Axis, ...]:
    if TOKEN.sub("", text).strip():
        raise CourseError(f"expected axes such as 'b t i' or '(h d) e', got {text!r} @ {where}")
    return tuple(
        () if match[2] == "1" else (match[2],) if match[2] else tuple(match[1].split())
        for match in TOKEN.finditer(text)
    )


def bind(
    axes: Sequence[Axis], shape: Sequence[int], known: Mapping[str, int], *, spread: bool = False
) -> dict[str, int]:
    """The lengths of names: those known, and those that a shape tells.

    Args:
        axes: what the shape is of.
        shape: the shape.
        known: lengths that are known.
        spread: whether an axis of length 1, or one that is not there, stands for any length.

    Raises:
        Unfit: the shape is of something else.
    """
    shape = (*(1,) * (len(axes) - len(shape)), *shape) if spread else tuple(shape)
    lengths = dict(known)
    fits = len(shape) == len(axes)
    for axis, length in zip(axes, shape, strict=False):
        unknown = [name for name in axis if name not in lengths]
        rest = math.prod(lengths[name] for name in axis if name in lengths)
        if len(unknown) == 1 and rest and not length % rest:
            lengths[unknown[0]] = length // rest
        elif unknown or (length != rest and not (spread and length == 1)):
            fits = False
    if not fits:
        known_ones = ", ".join(f"{name} = {length}" for name, length in known.items())
        raise Unfit(
            f"expected axes ({written(axes)}){' with ' + known_ones if known_ones else ''}, "
            f"got the shape {tuple(shape)}"
        )
    return lengths


def written(axes: Sequence[Axis]) -> str:
    """Axes as they are written."""
    return " ".join(
        axis[0] if len(axis) == 1 else f"({' '.join(axis)})" if axis else "1" for axis in axes
    )


def to_theirs(
    array: NDArray[Any], how: Layout, lengths: Mapping[str, int], *, spread: bool = False
) -> NDArray[Any]:
    """Our array as theirs.

    Raises:
        Unfit: it is of another shape, or depends on an axis that theirs has not.
    """
    lengths = bind(how.ours, array.shape, lengths, spread=spread)
    if spread:
        array = np.broadcast_to(array, [_length(axis, lengths) for axis in how.ours])
    names = [name for axis in how.ours for name in axis]
    split = array.reshape([lengths[name] for name in names])
    for name in how.dropped:
        at = names.index(name)
        first = split.take([0], at)
        if not np.array_equal(np.broadcast_to(first, split.shape), split):
            raise Unfit(f"it differs along {name}, which is not among ({written(how.theirs)})")
        split = first.reshape([*split.shape[:at], *split.shape[at + 1 :]])
        names.remove(name)
    order = [names.index(name) for axis in how.theirs for name in axis]
    joined = split.transpose(order).reshape([_length(axis, lengths) for axis in how.theirs])
    return np.ascontiguousarray(joined)


def to_ours(array: NDArray[Any], how: Layout, lengths: Mapping[str, int]) -> NDArray[Any]:
    """Their array as ours.

    Raises:
        Unfit: it is of another shape.
    """
    lengths = bind(how.theirs, array.shape, lengths)
    names = [name for axis in how.theirs for name in axis]
    split = array.reshape([lengths[name] for name in names])
    order = [names.index(name) for axis in how.ours for name in axis]
    return split.transpose(order).reshape([_length(axis, lengths) for axis in how.ours])


def _length(axis: Axis, lengths: Mapping[str, int]) -> int:
    return math.prod(lengths[name] for name in axis)
