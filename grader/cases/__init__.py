"""Case -> Trial: every input and weight drawn from a keyed seed.

An argument of a case is a literal (a number, text, null, {array: [[...]], tile: [...],
axes: "B, T"}), a list of arguments (a tuple), one of the made objects

    {build: Class, config: {...}, mode: eval, frozen: [...]}   an instance with drawn weights
    {optimizer: SGD, of: model, config: {lr: 0.1}}             an optimiser over another argument
    {stored_logits: {rows: 2, length: 6, vocabulary: 9}}       a model that answers from a table;
        with `paths: [[4, 2], [5]]` and `start: 1`, row r decoded greedily gives paths[r]

or an input expression `kind(axis, axis, ...; option=value)`, see kinds.py. Axes are names from the
case's `sizes` or `config`, or numbers; by these names the relations know which axis is time.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.cases.kinds import EXPRESSION, KINDS, Draw, Expression, Generator, parse
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
        axes={path: expression.axes for path, expression in drawn.items()} | _written_axes(case),
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


def _written_axes(case: Case) -> dict[str, tuple[str, ...]]:
    """Axis names of the arrays that a case writes out, where it names them."""
    return {
        name: tuple(axis.strip() for axis in str(value["axes"]).split(","))
        for name, value in case.args.items()
        if isinstance(value, Mapping) and "array" in value and "axes" in value
    }


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
    array = np.asarray(KINDS[expression.kind](draw))
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
        if "axes" in value and str(value["axes"]).count(",") + 1 != array.ndim:
            raise ValueError(f"of shape {array.shape}, with axes {value['axes']}")
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
        arrays=case.arrays,
        calls=tuple(draw_call(case, key, described, files, n) for n in range(case.calls)),
        seed=key.seed(case),
        hidden=case.show == "hidden",
    )
