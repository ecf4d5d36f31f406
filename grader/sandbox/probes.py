"""How an entry is exercised: called, differentiated or described. Untrusted side.

A probe takes one trial as the wire carries it (a mapping, see `questions.trial_tree`) and the
namespace of the submission, and gives back a mapping for the wire. It compares nothing and knows
no expected value. Whatever the student's code raises passes through; what is wrong with how the
harness and the code fit together is a `Misfit`.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from . import forms, stopwatch
from .instances import Instances
from .values import (
    Misfit,
    Tree,
    array_of,
    arrays,
    leaves,
    own_array,
    tensor,
    tensors,
    walk,
)

LAYERS: tuple[Any, ...] = (
    torch.nn.Linear,
    torch.nn.Bilinear,
    torch.nn.LayerNorm,
    torch.nn.Embedding,
)
"""Layers whose initial values are not drawn where every parameter is given."""

PLAIN: Tree = {
    "probe": "call",
    "config": {},
    "weights": None,
    "mode": "eval",
    "calls": [],
    "seed": 0,
    "cotangents": [],
    "steps": {},
    "inputs_back": False,
    "again": False,
    "form": {},
}
"""What a question that leaves it out is to have."""

instances = Instances()


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


@stopwatch.stage("run")
def run(trial: Tree, namespace: Mapping[str, Any], result_bytes: int) -> Tree:
    """What one trial gives back.

    Raises:
        Misfit: a missing entry, parameters that do not fit, an output that can't be read.
    """
    trial = PLAIN | trial
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(True)
    torch.default_generator.manual_seed(trial["seed"])
    name, _, method = trial["entry"].partition(".")
    if name == "torch":
        name, method = trial["entry"], ""
    entry = _entry(name, namespace)
    given = (trial["config"], trial["weights"], trial["mode"])
    built = _build(entry, *given, name, trial["form"], namespace, again=trial["again"])
    if method:
        return _method(built, method, trial, namespace, result_bytes)
    if trial["probe"] == "describe":
        described = describe(built) if isinstance(built, torch.nn.Module) else []
        return {"parameters": described}
    if trial["probe"] == "gradients":
        if "backward" in trial["form"]:
            (call,) = trial["calls"]
            arguments = {n: _argument(v, n, {}, namespace) for n, v in call["args"].items()}
            return forms.backward(built, arguments, trial, namespace, result_bytes)
        return _gradients(built, trial, namespace, result_bytes)
    if trial["probe"] == "slopes":
        return _slopes(built, trial, namespace)
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


@stopwatch.stage("build")
def _build(
    entry: Callable[..., Any],
    config: Tree,
    weights: Tree | None,
    mode: str,
    name: str,
    form: Tree,
    namespace: Mapping[str, Any],
    *,
    again: bool = False,
) -> Callable[..., Any]:
    """An instance with the given weights for a class, the function itself for a function.

    Where it will be asked for `again` at once, it is kept.
    """
    if not inspect.isclass(entry):
        return entry
    options, form = _plain(config), _plain(form)
    key = (entry, mode, options, form)
    if weights is not None and (kept := instances.again(key, weights)) is not None:
        return kept
    drawn = torch.default_generator.get_state()
    with initialised(weights is None):
        module: Any = forms.built(entry, options, form, namespace, name)
    if isinstance(module, torch.nn.Module):
        if weights is not None:
            _give_weights(module, weights, name, form.get("buffers", []))
        module.train(mode == "train")
        # What draws random numbers as it is built would leave others to a call the second time.
        if again and torch.equal(drawn, torch.default_generator.get_state()):
            instances.keep(key, weights, module)
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


def _give_weights(
    module: torch.nn.Module, weights: Tree, entry: str, buffers: Sequence[str]
) -> None:
    own: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    own |= {name: buffer for name, buffer in module.named_buffers() if name in buffers}
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
            parameter.copy_(tensor(weights[name]))


def _answer(function: Callable[..., Any], arguments: Tree, trial: Tree) -> Any:
    """What one call returns, in the form that an adapter tells, or by keywords and whole."""
    return forms.called(function, arguments, trial["form"], trial["entry"])


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
        for name, index in call.get("feed", {}).items():
            arguments[name] = _fed(previous, index)
        previous = _answer(function, arguments, trial)
        results.append(list(leaves(previous, result_bytes)))
    inputs = {}
    if trial["inputs_back"]:
        for name, value in tensors(arguments):
            inputs[name] = array_of(value, result_bytes)
        for name, array in arrays(arguments):
            inputs[name] = own_array(array, result_bytes)
        for name, value in arguments.items():
            if isinstance(value, torch.nn.Module):
                inputs[f"{name}.training"] = np.asarray(bool(value.training))
    return {"leaves": results, "inputs": inputs}


@stopwatch.stage("gradients")
def _gradients(
    function: Callable[..., Any], trial: Tree, namespace: Mapping[str, Any], result_bytes: int
) -> Tree:
    """Gradients of the outputs contracted with the cotangents, by input and parameter name."""
    (call,) = trial["calls"]
    arguments = {
        name: _argument(value, name, {}, namespace) for name, value in call["args"].items()
    }
    sought = {name: value for name, value in tensors(arguments) if torch.is_floating_point(value)}
    for value in sought.values():
        value.requires_grad_()
    if isinstance(function, torch.nn.Module):
        sought |= {name: p for name, p in function.named_parameters() if p.requires_grad}
    total = _contracted(function, arguments, trial)
    grads: list[torch.Tensor | None] = [None] * len(sought)
    if isinstance(total, torch.Tensor) and total.requires_grad:
        grads = list(torch.autograd.grad(total, list(sought.values()), allow_unused=True))
    return {
        "gradients": {
            name: None if grad is None else array_of(grad, result_bytes)
            for name, grad in zip(sought, grads, strict=True)
        }
    }


def _contracted(function: Callable[..., Any], arguments: Tree, trial: Tree) -> Any:
    """The sum of every float output times its cotangent; 0 where there is no float output."""
    outputs = [
        value
        for _, value in walk(_answer(function, arguments, trial), "")
        if isinstance(value, torch.Tensor) and torch.is_floating_point(value)
    ]
    cotangents = [tensor(array) for array in trial["cotangents"]]
    shapes = [list(output.shape) for output in outputs]
    if shapes != [list(cotangent.shape) for cotangent in cotangents]:
        raise Misfit("unreadable", {"entry": trial["entry"], "reason": "outputs", "got": shapes})
    return sum((o * c).sum() for o, c in zip(outputs, cotangents, strict=True))


def _slopes(function: Callable[..., Any], trial: Tree, namespace: Mapping[str, Any]) -> Tree:
    """How much the contracted outputs differ between a step forward and one back, by tensor.

    Nothing where the same call gives something else the second time: a state that is kept would be
    taken for a slope.
    """
    (call,) = trial["calls"]
    parameters: Mapping[str, torch.Tensor] = {}
    if isinstance(function, torch.nn.Module):
        parameters = dict(function.named_parameters())

    def contracted(name: str = "", step: torch.Tensor | None = None) -> float:
        given = {key: _argument(value, key, {}, namespace) for key, value in call["args"].items()}
        moved = {**parameters, **dict(tensors(given))}.get(name)
        with torch.no_grad():
            before = None if moved is None or step is None else moved.clone()
            if moved is not None and step is not None:
                moved += step
        total = _contracted(function, given, trial)
        with torch.no_grad():
            if moved is not None and before is not None:
                moved.copy_(before)
        return total.item() if isinstance(total, torch.Tensor) else float(total)

    first, slopes = contracted(), {}
    for name, step in trial["steps"].items():
        moved = tensor(step)
        slopes[name] = np.asarray(contracted(name, moved) - contracted(name, -moved))
    return {"gradients": slopes if contracted() == first else {}}


def _argument(value: Any, name: str, objects: Tree, namespace: Mapping[str, Any]) -> Any:
    """One argument as the student's code gets it; made objects live as long as the trial."""
    if isinstance(value, np.ndarray):
        return tensor(value)
    if isinstance(value, tuple):
        return tuple(_argument(item, name, objects, namespace) for item in value)
    if isinstance(value, list):
        return [_argument(item, name, objects, namespace) for item in value]
    if not isinstance(value, dict):
        return value
    if "number" in value:
        return float(value["number"])
    if "mapping" in value:
        return {n: _argument(v, n, objects, namespace) for n, v in value["mapping"].items()}
    if "numpy" in value:
        return np.array(value["numpy"], order="C")
    if name not in objects:
        objects[name] = _make(value, objects, namespace)
    return objects[name]


def _make(value: Tree, objects: Tree, namespace: Mapping[str, Any]) -> Any:
    if "stored_logits" in value:
        table = tensor(value["stored_logits"])
        return StoredLogits(table, value["trainable"], value["pad"]).train(value["mode"] == "train")
    if "optimizer" in value:
        parameters = objects[value["of"]].parameters()
        return getattr(torch.optim, value["optimizer"])(parameters, **_plain(value["config"]))
    entry = _entry(value["build"], namespace)
    given = (value["config"], value["weights"], value["mode"], value["build"])
    built = _build(entry, *given, value.get("form", {}), namespace)
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
        return float(value["number"]) if "number" in value else _plain(value)
    if isinstance(value, (tuple, list)):
        return type(value)(map(_number, value))
    return value


def _fed(previous: Any, index: int) -> Any:
    if not isinstance(previous, (tuple, list)) or len(previous) <= index:
        raise Misfit("unreadable", {"reason": "state", "got": type(previous).__name__})
    return previous[index]
