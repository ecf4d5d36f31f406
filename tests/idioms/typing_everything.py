from __future__ import annotations

from typing import (
    TYPE_CHECKING, Any, Callable, Generic, Iterator, Literal, NamedTuple, Optional, Protocol,
    TypedDict, TypeVar, Union, cast, get_type_hints, overload,
)

import torch

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class State(NamedTuple):
    h: torch.Tensor
    c: Optional[torch.Tensor] = None


class Options(TypedDict, total=False):
    mode: Literal["a", "b"]


class Scorer(Protocol):
    def __call__(self, x: Tensor) -> Tensor: ...


class Stack(Generic[T]):
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> Stack[T]:
        self.items.append(item)
        return self


def run() -> tuple[Any, ...]:
    state = State(torch.ones(2))
    options: Options = {"mode": "a"}
    f: Scorer = lambda x: x * 2
    return f(state.h), state.c, options["mode"], Stack().push(1).push(2).items
