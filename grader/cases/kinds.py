"""The kinds of input that an expression `kind(axis, axis, ...; option=value)` may ask for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import CourseError
from grader.types import Arrays

EXPRESSION = re.compile(r"^(\w+)\(([^;()]*)(?:;([^()]*))?\)$")
Generator = np.random.RandomState
"""NumPy's frozen generator: the same seed gives the same numbers in every version (NEP 19), which
a released bundle relies on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An input expression, parsed."""

    kind: str
    """Which of KINDS."""
    axes: tuple[str, ...]
    """Names or numbers of its axes."""
    options: Mapping[str, str]
    """Options as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What a kind of input is drawn from."""

    shape: tuple[int, ...]
    """Lengths of the axes."""
    options: Mapping[str, str]
    """Options as written."""
    generator: Generator
    """Source of numbers, for this argument alone."""
    shared: Generator
    """Source of numbers that all arguments of the case with the same file share."""
    files: Mapping[str, Arrays]
    """Arrays of the course's data files, by file name."""

    def number(self, name: str, default: float) -> float:
        """A numeric option."""
        return float(self.options.get(name, default))

    def lengths(self, count: int, longest: int) -> NDArray[np.int64]:
        """Lengths (count,) from 1 to `longest`: the first item full, the others as unequal as
        can be."""
        shorter = np.arange(1, longest) if longest > 1 else np.array([longest])
        pool = [self.shared.permutation(shorter) for _ in range(count)]
        return np.concatenate([[longest], *pool])[:count].astype(np.int64)


def parse(text: str, where: str) -> Expression:
    """An input expression.

    Raises:
        CourseError: it is none, or of an unknown kind, or has an option that its kind has not.
    """
    match = EXPRESSION.match(text.strip())
    if match is None or match[1] not in (*KINDS, "same"):
        kinds = ", ".join((*KINDS, "same"))
        raise CourseError(
            f"expected kind(axes; options) with a kind of {kinds}, got {text!r} @ {where}"
        )
    pairs = [pair.split("=", 1) for pair in (match[3] or "").split(",") if pair.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise CourseError(f"expected option=value, got {match[3]!r} @ {where}")
    options = {name.strip(): value.strip() for name, value in pairs}
    known = OPTIONS.get(match[1], ())
    for name in options:
        if name not in known:
            said = ", ".join(known) or "none"
            raise CourseError(f"expected an option among {said}, got {name!r} @ {where}")
    return Expression(
        kind=match[1],
        axes=tuple(axis.strip() for axis in match[2].split(",") if axis.strip()),
        options=options,
    )


def _normal(draw: Draw) -> NDArray[Any]:
    values = draw.generator.standard_normal(draw.shape)
    return draw.number("scale", 1.0) * values + draw.number("shift", 0.0)


def _distribution(draw: Draw) -> NDArray[Any]:
    """Positive numbers that sum to 1 along the last axis, uniform among all such."""
    values = draw.generator.standard_exponential(draw.shape)
    shares: NDArray[Any] = values / values.sum(axis=-1, keepdims=True)
    return shares


def _uniform(draw: Draw) -> NDArray[Any]:
    """From `low` to below `high`: lengths, variances, whatever must not be negative."""
    low, high = draw.number("low", 0.0), draw.number("high", 1.0)
    return draw.generator.uniform(low, high, draw.shape)


def _log_probabilities(draw: Draw) -> NDArray[Any]:
    """Logarithms of probabilities, which add up to 1 along the last axis."""
    scores = draw.number("scale", 1.0) * draw.generator.standard_normal(draw.shape)
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)


def _tokens(draw: Draw) -> NDArray[Any]:
    """Integers (B, T) from `low` to below `high`; with `pad`, rows end in it at unequal lengths."""
    low, high = int(draw.number("low", 0)), int(draw.number("high", 2))
    tokens = draw.generator.randint(low, high, draw.shape).astype(np.int64)
    if "first" in draw.options:
        tokens[:, 0] = int(draw.number("first", 0))
    if "pad" in draw.options:
        lengths = draw.lengths(draw.shape[0], draw.shape[1])
        tokens[np.arange(draw.shape[1]) >= lengths[:, None]] = int(draw.number("pad", 0))
    return tokens


def _lengths(draw: Draw) -> NDArray[Any]:
    return draw.lengths(draw.shape[0], int(draw.number("high", 1)))


def _numbers(draw: Draw) -> NDArray[Any]:
    return np.arange(draw.shape[0], dtype=np.int64).reshape(draw.shape)


def _causal(draw: Draw) -> NDArray[Any]:
    queries, keys = draw.shape[-2:]
    return np.broadcast_to(np.tri(queries, keys) > 0, draw.shape).copy()


def _padding(draw: Draw) -> NDArray[Any]:
    """True for the keys (last axis) before each item's length (first axis)."""
    lengths = draw.lengths(draw.shape[0], draw.shape[-1])
    keep = np.arange(draw.shape[-1]) < lengths.reshape(-1, *[1] * (len(draw.shape) - 1))
    return np.broadcast_to(keep, draw.shape).copy()


def _causal_padding(draw: Draw) -> NDArray[Any]:
    keep: NDArray[Any] = _causal(draw) & _padding(draw)
    return keep


def _random_mask(draw: Draw) -> NDArray[Any]:
    """Each pair kept with probability `keep`, at least one key a row; `empty` rows keep none."""
    keep = draw.generator.random_sample(draw.shape) < draw.number("keep", 0.6)
    rows = keep.reshape(-1, draw.shape[-1])
    rows[np.arange(len(rows)), draw.generator.randint(draw.shape[-1], size=len(rows))] = True
    empty = int(draw.number("empty", 0))
    rows[draw.generator.permutation(len(rows))[:empty]] = False
    return rows.reshape(draw.shape)


def _rows(draw: Draw) -> NDArray[Any]:
    """Rows of a column of a course's data file; the same rows for every argument of the case."""
    column = draw.files[draw.options["file"]][draw.options["column"]]
    chosen = draw.shared.permutation(len(column))[: draw.shape[0]]
    return column[chosen]


KINDS: Mapping[str, Callable[[Draw], NDArray[Any]]] = {
    "normal": _normal,
    "tokens": _tokens,
    "lengths": _lengths,
    "numbers": _numbers,
    "causal": _causal,
    "padding": _padding,
    "causal_padding": _causal_padding,
    "random_mask": _random_mask,
    "rows": _rows,
    "distribution": _distribution,
    "uniform": _uniform,
    "log_probabilities": _log_probabilities,
}
"""Kinds of input by name. `same(argument)` besides stands for the same values again."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "normal": ("scale", "shift"),
    "uniform": ("low", "high"),
    "log_probabilities": ("scale",),
    "tokens": ("low", "high", "first", "pad"),
    "lengths": ("high",),
    "random_mask": ("keep", "empty"),
    "rows": ("file", "column"),
}
"""Options by kind, where it has any."""
