"""Case -> Trial: every input and weight drawn from a keyed seed.

An argument of a case is a literal (a number, text, null, {array: [[...]], tile: [...]}), a list of
arguments (a tuple), one of the made objects

    {build: Class, config: {...}, mode: eval, frozen: [...]}   an instance with drawn weights
    {optimizer: SGD, of: model, config: {lr: 0.1}}             an optimiser over another argument
    {stored_logits: {rows: 2, length: 6, vocabulary: 9}}       a model that answers from a table;
        with `paths: [[4, 2], [5]]` and `start: 1`, row r decoded greedily gives paths[r]

or an input expression `kind(axis, axis, ...; option=value)`, see `KINDS`. Axes are names from the
case's `sizes` or `config`, or numbers; by these names the relations know which axis is time.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import CourseError
from grader.types import (
    Arrays,
    Build,
    Call,
    Case,
    Expected,
    Facts,
    Optimizer,
    Parameter,
    Setting,
    StoredLogits,
    Tokens,
    Tolerance,
    Trial,
)

EXPRESSION = re.compile(r"^(\w+)\(([^;()]*)(?:;([^()]*))?\)$")
Generator = np.random.RandomState
"""NumPy's frozen generator: the same seed gives the same numbers in every version (NEP 19), which
a released bundle relies on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What the seeds of one assignment are made from."""

    secret: str
    """The course's secret; public cases use "public" in its place."""
    assignment: str
    """Name of the assignment."""

    def generator(self, case: Case, *what: object) -> Generator:
        """A generator for one thing of one case."""
        secret = "public" if case.show == "public" else self.secret
        return Generator(np.random.MT19937(self._number(secret, case.id, *what)))

    def seed(self, case: Case, *what: object) -> int:
        """A seed for torch's generator."""
        secret = "public" if case.show == "public" else self.secret
        return self._number(secret, case.id, "torch", *what) % 2**31

    def _number(self, *what: object) -> int:
        text = json.dumps([self.assignment, *map(str, what)])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


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


def expressions(case: Case) -> dict[str, Expression]:
    """The parsed expression of every drawn array of a case, `same` resolved, by its path.

    Raises:
        CourseError: one is no expression, or the same as none.
    """
    return {path: _source(case, path)[1] for path, _ in _expressions(case.args)}


def _expressions(args: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(args, str) and EXPRESSION.match(args.strip()):
        yield path, args
    elif isinstance(args, (list, tuple)):
        for index, item in enumerate(args):
            yield from _expressions(item, f"{path}[{index}]")
    elif isinstance(args, Mapping) and not path:
        for name, value in args.items():
            yield from _expressions(value, name)


def _source(case: Case, path: str) -> tuple[str, Expression]:
    """The argument that an argument's values are drawn for, past every `same`, as parsed."""
    texts = dict(_expressions(case.args))
    followed: list[str] = []
    while path in texts and path not in followed:
        followed.append(path)
        expression = parse(texts[path], f"case {case.id}, argument {path}")
        if expression.kind != "same":
            return path, expression
        path = ", ".join(expression.axes)
    raise CourseError(
        f"expected a drawn argument, got same({path}) @ case {case.id}, argument {followed[0]}"
    )


def setting(case: Case, base: Trial, expected: Expected, tolerance: Tolerance, key: Key) -> Setting:
    """A case made ready for its checks."""
    drawn = expressions(case)
    return Setting(
        case=case,
        base=base,
        expected=expected,
        axes={path: expression.axes for path, expression in drawn.items()},
        tokens={
            path: Tokens(
                low=int(expression.options.get("low", 0)),
                high=int(expression.options.get("high", 2)),
                pad=int(expression.options["pad"]) if "pad" in expression.options else None,
            )
            for path, expression in drawn.items()
            if expression.kind == "tokens"
        },
        tolerance=tolerance,
        seed=key.seed(case, "checks"),
    )


def sizes(case: Case) -> dict[str, int]:
    """Lengths by axis name."""
    from_config = {name: value for name, value in case.config.items() if type(value) is int}
    return from_config | dict(case.sizes)


def length(axis: str, case: Case) -> int:
    """Length of an axis, given by name or as a number.

    Raises:
        CourseError: the case does not say it.
    """
    if axis.isdecimal():
        return int(axis)
    try:
        return sizes(case)[axis]
    except KeyError:
        known = ", ".join(sizes(case))
        raise CourseError(
            f"expected an axis among {known}, got {axis!r} @ case {case.id}; add it to sizes"
        ) from None


# -- drawing ----------------------------------------------------------------------------------


def draw_call(
    case: Case,
    key: Key,
    described: Mapping[str, tuple[Parameter, ...]],
    files: Mapping[str, Arrays],
    number: int = 0,
) -> Call:
    """The arguments of one call of a case.

    Args:
        case: the case.
        key: what the seeds are made from.
        described: parameters of every built class, by `build_key`.
        files: the course's data files.
        number: which of the case's calls; each draws anew.

    Raises:
        CourseError: an argument makes no sense.
    """

    def argument(value: Any, path: str) -> Any:
        if isinstance(value, str) and EXPRESSION.match(value.strip()):
            return _array(case, path, key, files, number)
        if isinstance(value, (list, tuple)):
            return tuple(argument(item, f"{path}[{index}]") for index, item in enumerate(value))
        if isinstance(value, Mapping):
            return _object(value, case, path, key, described)
        return value

    args = {}
    for name, value in case.args.items():
        try:
            args[name] = argument(value, name)
        except (ValueError, LookupError, TypeError) as error:
            raise CourseError(
                f"expected an argument that can be drawn, got {value!r:.80} ({error!r:.80}) "
                f"@ case {case.id}, argument {name}"
            ) from error
    return Call(args=args)


def _array(
    case: Case, path: str, key: Key, files: Mapping[str, Arrays], number: int
) -> NDArray[Any]:
    source, expression = _source(case, path)
    draw = Draw(
        shape=tuple(length(axis, case) for axis in expression.axes),
        options=expression.options,
        generator=key.generator(case, source, number),
        shared=key.generator(case, "shared", number),
        files=files,
    )
    array = KINDS[expression.kind](draw)
    if array.shape != draw.shape:
        raise ValueError(f"of shape {array.shape}, not {draw.shape}")
    return array


def _object(
    value: Mapping[str, Any],
    case: Case,
    path: str,
    key: Key,
    described: Mapping[str, tuple[Parameter, ...]],
) -> Any:
    if "array" in value:
        dtype = value.get("dtype")
        array = np.tile(np.array(value["array"], dtype=dtype), value.get("tile", [1]))
        if array.dtype.kind not in "fib":
            raise CourseError(
                f"expected numbers of one shape, got {value['array']!r:.80} "
                f"@ case {case.id}, argument {path}"
            )
        return array
    if "build" in value:
        config = value.get("config", {})
        parameters = described.get(build_key(value["build"], config), ())
        return Build(
            name=value["build"],
            config=config,
            weights=draw_weights(parameters, key.generator(case, path, "weights"), case.gain),
            mode=value.get("mode", "eval"),
            frozen=tuple(value.get("frozen", ())),
        )
    if "optimizer" in value:
        return Optimizer(name=value["optimizer"], of=value["of"], config=value.get("config", {}))
    if "stored_logits" in value:
        options = value["stored_logits"]
        return StoredLogits(
            table=_stored_logits(options, key.generator(case, path)),
            trainable=options.get("trainable", False),
            pad=options.get("pad", 0),
            mode=options.get("mode", "eval"),
        )
    raise CourseError(
        f"expected array, build, optimizer or stored_logits, got {sorted(value)} "
        f"@ case {case.id}, argument {path}"
    )


def draw_weights(
    parameters: tuple[Parameter, ...], generator: Generator, gain: float
) -> dict[str, NDArray[np.float64]]:
    """Every parameter by name: matrices with standard deviation gain / sqrt(last axis).

    Vectors (biases, norm gains) get a random sign and a size between 0.25 and 0.75 of `gain`, so
    that none is near zero and no two are alike; otherwise a forgotten bias could not be seen.
    """
    weights = {}
    for parameter in parameters:
        if len(parameter.shape) >= 2:
            scale = gain / np.sqrt(parameter.shape[-1])
            weights[parameter.name] = scale * generator.standard_normal(parameter.shape)
        else:
            sign = generator.choice([-1.0, 1.0], parameter.shape)
            weights[parameter.name] = gain * sign * generator.uniform(0.25, 0.75, parameter.shape)
    return weights


def _stored_logits(option: Mapping[str, Any], generator: Generator) -> NDArray[np.float64]:
    """Logits (R, L, V, V); where there are `paths`, row r decoded greedily gives `paths[r]`."""
    paths, vocabulary = option.get("paths", []), option["vocabulary"]
    shape = (option.get("rows", len(paths)), option["length"], vocabulary, vocabulary)
    table = generator.standard_normal(shape)
    for row, path in enumerate(paths):
        previous = option["start"]
        for step, token in enumerate(path):
            table[row, step, previous, token] = table[row, step, previous].max() + 1.0
            previous = token
    return table


def build_key(name: str, config: Facts) -> str:
    """One name for a class built with a config."""
    return json.dumps([name, dict(config)], sort_keys=True)


def builds(case: Case) -> Iterator[tuple[str, Facts]]:
    """Every class that a case builds, with its config: the entry's own and its arguments'."""
    yield case.entry, case.config
    for value in case.args.values():
        if isinstance(value, Mapping) and "build" in value:
            yield value["build"], value.get("config", {})


def describe_trials(cases: tuple[Case, ...]) -> dict[str, Trial]:
    """Trials that ask for the parameters of every class that the cases build."""
    return {
        build_key(name, config): Trial(
            case=case.id, variant="describe", entry=name, probe="describe", config=config
        )
        for case in cases
        for name, config in builds(case)
    }


def base_trial(
    case: Case,
    key: Key,
    described: Mapping[str, tuple[Parameter, ...]],
    files: Mapping[str, Arrays],
) -> Trial:
    """The plain trial of a case."""
    parameters = described.get(build_key(case.entry, case.config), ())
    return Trial(
        case=case.id,
        variant="base",
        entry=case.entry,
        config=case.config,
        weights=draw_weights(parameters, key.generator(case, "weights"), case.gain),
        mode=case.mode,
        calls=tuple(draw_call(case, key, described, files, n) for n in range(case.calls)),
        seed=key.seed(case),
    )


# -- kinds of input ---------------------------------------------------------------------------


def _normal(draw: Draw) -> NDArray[Any]:
    values = draw.generator.standard_normal(draw.shape)
    return draw.number("scale", 1.0) * values + draw.number("shift", 0.0)


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
}
"""Kinds of input by name. `same(argument)` besides stands for the same values again."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "normal": ("scale", "shift"),
    "tokens": ("low", "high", "first", "pad"),
    "lengths": ("high",),
    "random_mask": ("keep", "empty"),
    "rows": ("file", "column"),
}
"""Options by kind, where it has any."""
