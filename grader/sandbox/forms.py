"""How an adapted entry is built, called and read, as plain JSON tells it. Untrusted side.

What can be done outside (weights, layouts, masks) is done there; here stands what needs the
student's own objects: how a constructor is called, globals, attributes of what comes back, and a
cache that goes from a forward to the backward written for it.
"""

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from .values import Misfit, Tree, array_of, own_array

fitting: set[tuple[object, ...]] = set()
"""Calls whose arguments are known to fit: inspecting a signature costs as much as a small call."""


def built(
    entry: Callable[..., Any],
    options: Tree,
    form: Tree,
    namespace: Mapping[str, Any],
    name: str,
) -> Any:
    """An instance of a class: its arguments by position, by name, or in a config object."""
    space: Any = namespace
    space.update(form.get("globals", {}))
    if form.get("init") == "position":
        _fits(entry, list(options.values()), {}, name)
        return entry(*options.values())
    if "config" in form:
        return entry(_config(namespace.get(form["config"]), options))
    _fits(entry, [], options, name)
    return entry(**options)


def _config(kind: Any, options: Tree) -> Any:
    """A config object: of the submission's class, or a plain one where it has none."""
    if not callable(kind):
        return types.SimpleNamespace(**options)
    try:
        inspect.signature(kind).bind(**options)
    except (TypeError, ValueError):
        config = kind()
        for name, value in options.items():
            setattr(config, name, value)
        return config
    return kind(**options)


def called(function: Callable[..., Any], arguments: Tree, form: Tree, entry: str) -> Any:
    """What a call returns, its first arguments by position, taken apart as the form says."""
    ordered: list[Any] = []
    named = arguments
    if count := form.get("positional", 0):
        ordered = list(arguments.values())[:count]
        named = dict(list(arguments.items())[count:])
    _fits(function, ordered, named, entry)
    return picked(function(*ordered, **named), form.get("returns"), function)


def _fits(function: Callable[..., Any], ordered: list[Any], named: Tree, entry: str) -> None:
    """Says that a signature does not fit before the call, so that it is no error in its body."""
    called_as = (entry, inspect.isclass(function), len(ordered), *named)
    if called_as in fitting:
        return
    run = function.forward if isinstance(function, torch.nn.Module) else function
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*ordered, **named)
    except TypeError as error:
        given = [*(f"argument {n + 1}" for n in range(len(ordered))), *named]
        facts = {"entry": entry, "message": str(error), "given": given}
        raise Misfit("signature", facts) from error
    fitting.add(called_as)


def picked(value: Any, picks: list[list[Any]] | None, function: Any) -> Any:
    """The parts of what came back that are asked for, one alone as itself; None where it has none.

    A step is an index, a key, an attribute (".h") or "self", the object that was called.
    """
    if picks is None:
        return value
    found = tuple(functools.reduce(_step, pick, (value, function))[0] for pick in picks)
    return found[0] if len(found) == 1 else found


def _step(at: tuple[Any, Any], step: Any) -> tuple[Any, Any]:
    value, function = at
    if step == "self":
        return getattr(function, "__self__", function), function
    try:
        if isinstance(step, str) and step.startswith("."):
            return getattr(value, step[1:]), function
        return value[step], function
    except (LookupError, TypeError, AttributeError, ValueError):
        return None, function


def backward(
    function: Callable[..., Any],
    arguments: Tree,
    trial: Tree,
    namespace: Mapping[str, Any],
    result_bytes: int,
) -> Tree:
    """Gradients that a backward pass written by hand gives, after its forward."""
    form, told = trial["form"], trial["form"]["backward"]
    by_hand = namespace.get(told["name"])
    if not callable(by_hand):
        raise Misfit("missing", {"entry": told["name"]})
    whole: Any = called(function, arguments, {**form, "returns": None}, trial["entry"])
    given: Tree = {}
    for name, (kind, what) in told["args"].items():
        if kind == "upstream":
            value = np.array(trial["cotangents"][what])
            given[name] = value if told["numpy"] else torch.from_numpy(value)
        elif kind == "kept":
            given[name] = picked(whole, [what], function)
        elif kind == "argument":
            given[name] = arguments[what]
        else:
            given[name] = what
    found = called(by_hand, given, {"positional": told["positional"]}, told["name"])
    gradients: dict[str, Any] = {}
    for name, pick in told["returns"].items():
        value = picked(found, [pick], by_hand)
        if isinstance(value, torch.Tensor):
            gradients[name] = array_of(value, result_bytes)
        elif isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f":
            gradients[name] = own_array(value, result_bytes)
        else:
            gradients[name] = None
    return {"gradients": gradients}
