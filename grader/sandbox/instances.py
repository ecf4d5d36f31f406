"""The instance of a submission's class that was built last, used again where it is as new.

To build a small module takes as long as to call it, and a case asks for the same one several times.
Each trial must meet a new instance, so that a state which one call leaves behind can't spoil the
next answer. So one that has been used is taken again only where nothing tells it from a new one.
Untrusted side.
"""

import operator
import types
from dataclasses import dataclass
from typing import Any

import torch

PLAIN = {bool, int, float, complex, str, bytes, type(None), type}
PLAIN |= {torch.dtype, torch.device, torch.Size, types.BuiltinFunctionType}
"""Types of values that a call can replace and not change."""

TABLES = {name for name, value in vars(torch.nn.Module()).items() if isinstance(value, (dict, set))}
"""A module's own tables, of parameters, buffers, modules and hooks."""


class _Changeable(Exception):
    """A module holds what may change without being replaced, such as a list."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A module as it was when it was new."""

    key: tuple[Any, ...]
    """What it was built from, but for its weights."""
    weights: Any
    """The weights that it was given."""
    module: torch.nn.Module
    """The module."""
    marks: list[Any]
    """Everything that it holds, in order."""
    values: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    """Its tensors, each with a copy."""


class Instances:
    """Keeps the module that was built last."""

    def __init__(self) -> None:
        """Nothing has been built yet."""
        self._kept: _Kept | None = None

    def keep(self, key: tuple[Any, ...], weights: Any, module: torch.nn.Module) -> None:
        """Remembers a new module, unless it holds what may change unseen."""
        self._kept = None
        try:
            marks = _marks(module, [])
        except _Changeable:
            return
        tensors = {id(each): each for each in marks if isinstance(each, torch.Tensor)}
        values = tuple((each, each.detach().clone()) for each in tensors.values())
        self._kept = _Kept(key=key, weights=weights, module=module, marks=marks, values=values)

    def again(self, key: tuple[Any, ...], weights: Any) -> torch.nn.Module | None:
        """The module that was built from the same, where it is as it was then, or None."""
        kept = self._kept
        if kept is None or kept.weights is not weights or kept.key != key:
            return None
        try:
            marks = _marks(kept.module, [])
        except _Changeable:
            return None
        if len(marks) != len(kept.marks) or not all(map(operator.is_, marks, kept.marks)):
            return None
        with torch.no_grad():
            for tensor, value in kept.values:  # `.data` is written to without a trace
                tensor.copy_(value)
        return kept.module

    def forget(self) -> None:
        """Keeps nothing."""
        self._kept = None


def _marks(module: torch.nn.Module, marks: list[Any]) -> list[Any]:
    """What a module and those below it hold, one value after another.

    Written for speed: it has to cost less than to build the module anew.

    Raises:
        _Changeable: a value that may change and still be the same object.
    """
    own = vars(module)
    marks.append(module)
    marks.extend(own)
    for name, value in own.items():
        if name in TABLES:
            marks.extend(value)
            if value and name != "_non_persistent_buffers_set":
                for each in value.values():
                    _mark(each, marks)
        else:
            _mark(value, marks)
    return marks


def _mark(value: Any, marks: list[Any]) -> None:
    if type(value) in PLAIN:
        marks.append(value)
    elif isinstance(value, torch.nn.Module):
        _marks(value, marks)
    elif isinstance(value, torch.Tensor):
        if not value.is_leaf or value.grad is not None:
            raise _Changeable
        marks += (value, value.requires_grad)
    elif type(value) is tuple:
        for item in value:
            _mark(item, marks)
    elif isinstance(value, types.FunctionType) and value.__closure__ is None:
        marks.append(value)
    else:
        raise _Changeable
