"""Tensors and arrays as they come from the wire and go back to it. Untrusted side.

Whatever an entry returned is flattened into leaves; what can't be read is named and not compared.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .wire import DTYPES

Tree = dict[str, Any]

WIDENED = dict.fromkeys((torch.float16, torch.bfloat16, torch.float32), torch.float64)
"""Narrow floats travel widened, under their own name."""

READ = frozenset(DTYPES) | {"float16", "bfloat16"}
"""Dtypes that can be read; others are named and not compared."""


class Misfit(Exception):
    """An entry can't be exercised as asked; `facts` says why, `outcome` how it is recorded."""

    def __init__(self, outcome: str, facts: Tree):
        super().__init__(outcome)
        self.outcome = outcome
        self.facts = facts


def tensor(array: NDArray[Any]) -> torch.Tensor:
    """A tensor of its own, with the array's values."""
    return torch.from_numpy(np.array(array, order="C"))


def tensors(arguments: Tree) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors among the arguments, named as in "state[0]"."""
    return _of_type(torch.Tensor, arguments)


def arrays(arguments: Tree) -> Iterator[tuple[str, NDArray[Any]]]:
    """NumPy's arrays among the arguments, named likewise."""
    return _of_type(np.ndarray, arguments)


def _of_type(kind: type[Any], arguments: Tree) -> Iterator[tuple[str, Any]]:
    for name, argument in arguments.items():
        for path, value in walk(argument, ""):
            if isinstance(value, kind):
                yield name + path, value


def walk(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Leaves of nested tuples, lists and dicts in order; deeper than 8 is a leaf itself."""
    if depth < 8 and isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from walk(item, f"{path}[{index}]", depth + 1)
    elif depth < 8 and isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{path}[{str(key)[:40]!r}]", depth + 1)
    else:
        yield path, value


def leaves(value: Any, result_bytes: int) -> Iterator[Tree]:
    """What an entry returned, flattened; a list of numbers is one array."""
    if isinstance(value, list) and value and all(type(item) in (int, float) for item in value):
        yield _leaf("", "array", "float64", np.array(value, dtype=np.float64))
        return
    for index, (path, item) in enumerate(walk(value, "")):
        if index >= 256:
            raise Misfit("unreadable", {"reason": "too many values"})
        yield _read(path, item, result_bytes)


def _read(path: str, value: Any, result_bytes: int) -> Tree:
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or value.device.type != "cpu" or dtype not in READ:
            kind = f"{value.layout}, {value.device.type}, {dtype}".replace("torch.", "")
            return _leaf(path, "other", text=f"{kind} tensor")
        return _leaf(path, "tensor", dtype, array_of(value, result_bytes))
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.name not in READ:
            return _leaf(path, "other", text=f"{value.dtype.name} array")
        return _leaf(path, "array", value.dtype.name, own_array(value, result_bytes))
    if value is None:
        return _leaf(path, "none")
    if isinstance(value, bool):
        return _leaf(path, "bool", "bool", np.asarray(value))
    if isinstance(value, int) and abs(value) < 2**63:
        return _leaf(path, "number", "int64", np.asarray(value, dtype=np.int64))
    if isinstance(value, float):
        return _leaf(path, "number", "float64", np.asarray(value, dtype=np.float64))
    if isinstance(value, str):
        return _leaf(path, "text", text=value[:10_000])
    return _leaf(path, "other", text=type(value).__name__[:80])


def _leaf(
    path: str, kind: str, dtype: str = "", array: NDArray[Any] | None = None, text: str = ""
) -> Tree:
    return {"path": path, "kind": kind, "dtype": dtype, "array": array, "text": text}


def array_of(value: torch.Tensor, result_bytes: int) -> NDArray[Any]:
    """A copy of a dense tensor's values; its size is known before anything is allocated."""
    plain = value.detach().as_subclass(torch.Tensor)
    dtype = WIDENED.get(plain.dtype, plain.dtype)
    if plain.numel() * dtype.itemsize > result_bytes:
        raise Misfit("unreadable", {"reason": "too large", "got": list(plain.shape)})
    return plain.resolve_conj().resolve_neg().to(dtype).contiguous().numpy().copy()


def own_array(value: NDArray[Any] | np.generic, result_bytes: int) -> NDArray[Any]:
    """A copy of NumPy's own, in any byte order and with any strides."""
    plain = np.asarray(value)
    dtype = np.dtype(np.float64) if plain.dtype.kind == "f" else plain.dtype.newbyteorder("=")
    if plain.size * dtype.itemsize > result_bytes:
        raise Misfit("unreadable", {"reason": "too large", "got": list(plain.shape)})
    return np.array(plain, dtype, order="C")
