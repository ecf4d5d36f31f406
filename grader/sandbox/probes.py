"""How an entry is exercised: called, differentiated or described. Untrusted side.

A probe takes one trial as the wire carries it (a mapping, see `questions.trial_tree`) and the
namespace of the submission, and gives back a mapping for the wire. It compares nothing and knows
no expected value. Whatever the student's code raises passes through; what is wrong with how the
harness and the code fit together is a `Misfit`.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .wire import DTYPES

Tree = dict[str, Any]

WIDENED = dict.fromkeys((torch.float16, torch.bfloat16, torch.float32), torch.float64)
"""Narrow floats travel widened, under their own name."""

LAYERS: tuple[Any, ...] = (
    torch.nn.Linear,
    torch.nn.Bilinear,
    torch.nn.LayerNorm,
    torch.nn.Embedding,
)
"""Layers whose initial values are not drawn where every parameter is given."""

READ = frozenset(DTYPES) | {"float16", "bfloat16"}
"""Dtypes that can be read; others are named and not compared."""

fitting: set[tuple[object, ...]] = set()
"""Calls whose arguments are known to fit: inspecting a signature costs as much as a small call."""


class Misfit(Exception):
    """An entry can't be exercised as asked; `facts` says why, `outcome` how it is recorded."""

    def __init__(self, outcome: str, facts: Tree):
        super().__init__(outcome)
        self.outcome = outcome
        self.facts = facts


class StoredLogits(torch.nn.Module):
    """A model that answers from a table, so that decoding is judged on its own.

    forward(source (B, S), target (B, T)) -> logits (B, T, V), where the row's number is the first
    token of its source and the answer at a position depends on the target's token there. In train
    mode the answers are the opposite ones, so that decoding in it is seen.
    """

    def __init__(self, table: torch.Tensor, trainable: bool, pad: int):
        super().__init__()
        self.table = torch.nn.Parameter(table, requires_grad=trainable)
        self.pad = pad

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Logits (B, T, V) for source (B, S) and target (B, T)."""
        rows = source[:, :1].expand(-1, target.shape[1])  # (B, T)
        steps = torch.arange(target.shape[1]).expand(target.shape[0], -1)  # (B, T)
        logits = self.table[rows, steps, target]  # (B, T, V)
        return -logits if self.training else logits


def run(trial: Tree, namespace: Mapping[str, Any], result_bytes: int) -> Tree:
    """What one trial gives back.

    Raises:
        Misfit: a missing entry, parameters that do not fit, an output that can't be read.
    """
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(True)
    torch.default_generator.manual_seed(trial["seed"])
    name, _, method = trial["entry"].partition(".")
    if name == "torch":
        name, method = trial["entry"], ""
    entry = _entry(name, namespace)
    built = _build(entry, trial["config"], trial["weights"], trial["mode"], name)
    if method:
        return _method(built, method, trial, namespace, result_bytes)
    if trial["probe"] == "describe":
        described = describe(built) if isinstance(built, torch.nn.Module) else []
        return {"parameters": described}
    if trial["probe"] == "gradients":
        return _gradients(built, trial, namespace, result_bytes)
    return _call(built, trial, namespace, result_bytes)


def _method(
    built: Any, method: str, trial: Tree, namespace: Mapping[str, Any], result_bytes: int
) -> Tree:
    """What a method of the built instance gives back: an entry "Class.method"."""
    if trial["probe"] == "describe":
        return {"parameters": describe(built)}
    function = getattr(built, method, None)
    if not callable(function):
        raise Misfit("missing", {"entry": trial["entry"]})
    return _call(function, trial, namespace, result_bytes)


def describe(module: torch.nn.Module) -> list[Tree]:
    """Every parameter by name, with its shape and, where it is shared, its first name."""
    first: dict[int, str] = {}
    described = []
    for name, parameter in module.named_parameters(remove_duplicate=False):
        same_as = first.setdefault(id(parameter), name)
        described.append(
            {
                "name": name,
                "shape": list(parameter.shape),
                "trainable": bool(parameter.requires_grad),
                "same_as": "" if same_as == name else same_as,
            }
        )
    return described


def _build(
    entry: Callable[..., Any], config: Tree, weights: Tree | None, mode: str, name: str
) -> Callable[..., Any]:
    """An instance with the given weights for a class, the function itself for a function."""
    if not inspect.isclass(entry):
        return entry
    options = _plain(config)
    _bind(entry, options, name)
    with initialised(weights is None):
        module: Any = entry(**options)
    if isinstance(module, torch.nn.Module):
        if weights is not None:
            _give_weights(module, weights, name)
        module.train(mode == "train")
    return module  # type: ignore[no-any-return]


@contextmanager
def initialised(wanted: bool) -> Iterator[None]:
    """Leaves torch's own layers without initial values, where every parameter is given anyway.

    Drawing them costs as much as a small layer's forward and backward.
    """
    layers = () if wanted else LAYERS
    originals = [layer.reset_parameters for layer in layers]
    for layer in layers:
        layer.reset_parameters = _nothing
    try:
        yield
    finally:
        for layer, original in zip(layers, originals, strict=True):
            layer.reset_parameters = original


def _nothing(self: torch.nn.Module) -> None:
    pass


def _give_weights(module: torch.nn.Module, weights: Tree, entry: str) -> None:
    own = dict(module.named_parameters(remove_duplicate=False))
    misshapen = [
        [name, list(weights[name].shape), list(own[name].shape)]
        for name in weights
        if name in own and tuple(own[name].shape) != weights[name].shape
    ]
    missing = [f"{name} {weights[name].shape}" for name in weights if name not in own]
    unexpected = [f"{name} {tuple(own[name].shape)}" for name in own if name not in weights]
    if missing or unexpected or misshapen:
        facts = {"missing": missing, "unexpected": unexpected, "misshapen": misshapen}
        raise Misfit("mismatch", {"entry": entry, **facts})
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(_tensor(weights[name]))


def _bind(function: Callable[..., Any], arguments: Tree, name: str) -> None:
    """Says that a signature does not fit before the call, so that it is no error in its body."""
    called = function.forward if isinstance(function, torch.nn.Module) else function
    form = (name, inspect.isclass(function), *arguments)
    if form in fitting:
        return
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        facts = {"entry": name, "message": str(error), "given": list(arguments)}
        raise Misfit("signature", facts) from error
    fitting.add(form)


def _call(
    function: Callable[..., Any], trial: Tree, namespace: Mapping[str, Any], result_bytes: int
) -> Tree:
    objects: Tree = {}
    results: list[list[Tree]] = []
    arguments: Tree = {}
    previous: Any = None
    for call in trial["calls"]:
        arguments = {
            name: _argument(value, name, objects, namespace) for name, value in call["args"].items()
        }
        for name, index in call["feed"].items():
            arguments[name] = _fed(previous, index)
        _bind(function, arguments, trial["entry"])
        previous = function(**arguments)
        results.append(list(_leaves(previous, result_bytes)))
    inputs = {}
    if trial["inputs_back"]:
        for name, value in _tensors(arguments):
            inputs[name] = _array(value, result_bytes)
        for name, value in arguments.items():
            if isinstance(value, torch.nn.Module):
                inputs[f"{name}.training"] = np.asarray(bool(value.training))
    return {"leaves": results, "inputs": inputs}


def _gradients(
    function: Callable[..., Any], trial: Tree, namespace: Mapping[str, Any], result_bytes: int
) -> Tree:
    """Gradients of the outputs contracted with the cotangents, by input and parameter name."""
    (call,) = trial["calls"]
    arguments = {
        name: _argument(value, name, {}, namespace) for name, value in call["args"].items()
    }
    sought = {name: value for name, value in _tensors(arguments) if torch.is_floating_point(value)}
    for value in sought.values():
        value.requires_grad_()
    if isinstance(function, torch.nn.Module):
        sought |= {name: p for name, p in function.named_parameters() if p.requires_grad}
    _bind(function, arguments, trial["entry"])
    returned = function(**arguments)
    outputs = [
        value
        for _, value in _walk(returned, "")
        if isinstance(value, torch.Tensor) and torch.is_floating_point(value)
    ]
    cotangents = [_tensor(array) for array in trial["cotangents"]]
    shapes = [list(output.shape) for output in outputs]
    if shapes != [list(cotangent.shape) for cotangent in cotangents]:
        raise Misfit("unreadable", {"entry": trial["entry"], "reason": "outputs", "got": shapes})
    total = sum((o * c).sum() for o, c in zip(outputs, cotangents, strict=True))
    grads: list[torch.Tensor | None] = [None] * len(sought)
    if isinstance(total, torch.Tensor) and total.requires_grad:
        grads = list(torch.autograd.grad(total, list(sought.values()), allow_unused=True))
    return {
        "gradients": {
            name: None if grad is None else _array(grad, result_bytes)
            for name, grad in zip(sought, grads, strict=True)
        }
    }


def _argument(value: Any, name: str, objects: Tree, namespace: Mapping[str, Any]) -> Any:
    """One argument as the student's code gets it; made objects live as long as the trial."""
    if isinstance(value, np.ndarray):
        return _tensor(value)
    if isinstance(value, tuple):
        return tuple(_argument(item, name, objects, namespace) for item in value)
    if isinstance(value, list):
        return [_argument(item, name, objects, namespace) for item in value]
    if not isinstance(value, dict):
        return value
    if "number" in value:
        return float(value["number"])
    if name not in objects:
        objects[name] = _make(value, objects, namespace)
    return objects[name]


def _make(value: Tree, objects: Tree, namespace: Mapping[str, Any]) -> Any:
    if "stored_logits" in value:
        table = _tensor(value["stored_logits"])
        return StoredLogits(table, value["trainable"], value["pad"]).train(value["mode"] == "train")
    if "optimizer" in value:
        parameters = objects[value["of"]].parameters()
        return getattr(torch.optim, value["optimizer"])(parameters, **_plain(value["config"]))
    entry = _entry(value["build"], namespace)
    built = _build(entry, value["config"], value["weights"], value["mode"], value["build"])
    if isinstance(built, torch.nn.Module):
        for name, parameter in built.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and name not in value["frozen"])
    return built


def _entry(name: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    """A class or function of the submission, or of torch by its dotted name."""
    entry: Any = namespace.get(name)
    if name.startswith("torch."):
        entry = functools.reduce(getattr, name.split(".")[1:], torch)
    if not callable(entry):
        raise Misfit("missing", {"entry": name})
    return entry  # type: ignore[no-any-return]


def _plain(config: Tree) -> Tree:
    """A config whose floats are Python's again."""
    return {name: _number(value) for name, value in config.items()}


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["number"])
    if isinstance(value, (tuple, list)):
        return type(value)(map(_number, value))
    return value


def _fed(previous: Any, index: int) -> Any:
    if not isinstance(previous, (tuple, list)) or len(previous) <= index:
        raise Misfit("unreadable", {"reason": "state", "got": type(previous).__name__})
    return previous[index]


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array, order="C"))


def _tensors(arguments: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors among the arguments, named as in "state[0]"."""
    for name, argument in arguments.items():
        for path, value in _walk(argument, ""):
            if isinstance(value, torch.Tensor):
                yield name + path, value


def _walk(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Leaves of nested tuples, lists and dicts in order; deeper than 8 is a leaf itself."""
    if depth < 8 and isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]", depth + 1)
    elif depth < 8 and isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, f"{path}[{str(key)[:40]!r}]", depth + 1)
    else:
        yield path, value


def _leaves(value: Any, result_bytes: int) -> Iterator[Tree]:
    """What an entry returned, flattened; a list of numbers is one array."""
    if isinstance(value, list) and value and all(type(item) in (int, float) for item in value):
        yield _leaf("", "array", "float64", np.array(value, dtype=np.float64))
        return
    for index, (path, item) in enumerate(_walk(value, "")):
        if index >= 256:
            raise Misfit("unreadable", {"reason": "too many values"})
        yield _read(path, item, result_bytes)


def _read(path: str, value: Any, result_bytes: int) -> Tree:
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or value.device.type != "cpu" or dtype not in READ:
            kind = f"{value.layout}, {value.device.type}, {dtype}".replace("torch.", "")
            return _leaf(path, "other", text=f"{kind} tensor")
        return _leaf(path, "tensor", dtype, _array(value, result_bytes))
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.name not in READ:
            return _leaf(path, "other", text=f"{value.dtype.name} array")
        return _leaf(path, "array", value.dtype.name, _own_array(value, result_bytes))
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


def _array(value: torch.Tensor, result_bytes: int) -> NDArray[Any]:
    """A copy of a dense tensor's values; its size is known before anything is allocated."""
    plain = value.detach().as_subclass(torch.Tensor)
    dtype = WIDENED.get(plain.dtype, plain.dtype)
    if plain.numel() * dtype.itemsize > result_bytes:
        raise Misfit("unreadable", {"reason": "too large", "got": list(plain.shape)})
    return plain.resolve_conj().resolve_neg().to(dtype).contiguous().numpy().copy()


def _own_array(value: NDArray[Any] | np.generic, result_bytes: int) -> NDArray[Any]:
    """A copy of NumPy's own, in any byte order and with any strides."""
    plain = np.asarray(value)
    dtype = np.dtype(np.float64) if plain.dtype.kind == "f" else plain.dtype.newbyteorder("=")
    if plain.size * dtype.itemsize > result_bytes:
        raise Misfit("unreadable", {"reason": "too large", "got": list(plain.shape)})
    return np.array(plain, dtype, order="C")
