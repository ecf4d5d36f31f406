"""What a forked child does: run one submission, trial by trial. Untrusted side.

It reads a job from a file, runs the student's module, answers each trial with one frame and ends.
Everything it says may be forged by the code it runs; `runner` believes none of it.
"""

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import linecache
import multiprocessing.synchronize
import multiprocessing.util
import os
import socket
import subprocess
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from . import forms, probes, stopwatch, values, wire

MODULE = "submission"
JOB_CAPS = wire.Caps(header_bytes=64_000_000, payload_bytes=1_000_000_000)

WARM_ROUNDS = 10

used_api: list[str] = []
"""Forbidden API called since the last frame."""


def work(
    job: bytes,
    plans: Iterable[bytes],
    send: Callable[[bytes], None],
    before: Mapping[str, float] = types.MappingProxyType({}),
) -> None:
    """Runs a job, and tells with it what its stages took, and those `before`, in seconds.

    Sends a frame when it is about to run student code (what goes wrong before is our fault), one
    for the load, and, when that went well, one for each trial of each plan and one to end it. A
    plan is asked for only once the one before it has been answered.
    """
    tree = wire.decode(job, JOB_CAPS)
    forbid(tree["forbidden"])
    sys.meta_path.append(SubmittedModules(tree["modules"]))
    with stopwatch.watched() as watch:
        watch.add(before)
        send(wire.encode({"ready": True, stopwatch.TOLD: watch.taken()}))
        namespace, failure = load(tree["source"], MODULE)
        send(wire.encode(_answer({"loaded": failure is None}, failure)))
        if failure is not None:
            return
        exhausted: set[str] = set()
        for plan in plans:
            asked = wire.decode(plan, JOB_CAPS)
            answer_plan(asked, namespace, tree["result_bytes"], exhausted, send)
            send(wire.encode({"done": True, stopwatch.TOLD: watch.taken()}))


def answer_plan(
    plan: dict[str, Any],
    namespace: Mapping[str, Any],
    result_bytes: int,
    exhausted: set[str],
    send: Callable[[bytes], None],
) -> None:
    """Sends one frame for each trial; adds to `exhausted` the entries that ran out of memory."""
    caps = wire.Caps(payload_bytes=result_bytes)
    numbers = [trial["weights"] for trial in plan["trials"]]
    for trial, number, following in zip(plan["trials"], numbers, [*numbers[1:], None], strict=True):
        if number is not None:
            trial["weights"] = plan["weights"][number]
            trial["again"] = number == following
        if trial["entry"] in exhausted:
            misfit = {"misfit": "skipped", "facts": {"entry": trial["entry"]}}
            send(wire.encode(_answer(misfit, None)))
            continue
        answered = answer(trial, namespace, result_bytes)
        if answered.get("error", {}).get("memory"):
            exhausted.add(trial["entry"])
        send(_frame(answered, trial["entry"], caps))


@stopwatch.stage("load")
def load(source: str, name: str) -> tuple[Mapping[str, Any], BaseException | None]:
    """The namespace that `source` makes, and what stopped it, if anything did."""
    module = types.ModuleType(name)
    module.__file__ = filename = f"<{name}>"
    sys.modules[name] = module
    # So that inspect.getsource, which torch.jit and torch.func use, finds the student's code.
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    try:
        exec(compile(source, filename, "exec"), module.__dict__)
    except BaseException as error:  # noqa: BLE001 - the boundary: what student code raises is data
        return module.__dict__, error
    return module.__dict__, None


def answer(
    trial: dict[str, Any], namespace: Mapping[str, Any], result_bytes: int
) -> dict[str, Any]:
    """What to send for one trial, whatever happens in it."""
    try:
        return _answer(probes.run(trial, namespace, result_bytes), None)
    except values.Misfit as misfit:
        return _answer({"misfit": misfit.outcome, "facts": misfit.facts}, None)
    except BaseException as error:  # noqa: BLE001 - the boundary: what student code raises is data
        return _answer({}, error)


def _frame(answered: dict[str, Any], entry: str, caps: wire.Caps) -> bytes:
    """The answer as one frame that the runner takes; one that it would not take says why."""
    reason = "too large"
    try:
        frame = wire.encode(answered)
        if wire.fits(frame, caps):
            return frame
    except wire.WireError:
        reason = "values"
    facts = {"entry": entry, "reason": reason}
    return wire.encode({"misfit": "unreadable", "facts": facts, "used": answered["used"]})


def _answer(tree: dict[str, Any], error: BaseException | None) -> dict[str, Any]:
    answered = {**tree, "used": list(dict.fromkeys(used_api))}
    used_api.clear()
    if error is not None:
        answered["error"] = {
            "type": type(error).__name__[:80],
            "message": _text(error),
            "line": _line(error),
            "memory": isinstance(error, MemoryError) or "can't allocate memory" in _text(error),
            "module": str(error.name)[:80] if isinstance(error, ModuleNotFoundError) else "",
        }
    return answered


def _text(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except BaseException:  # noqa: BLE001 - an exception whose own __str__ raises
        return ""


def _line(error: BaseException) -> int:
    """Last line of the student's module on the way to the error; 0 where there is none."""
    if isinstance(error, SyntaxError) and error.filename == f"<{MODULE}>":
        return error.lineno or 0
    line = 0
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == f"<{MODULE}>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


class SubmittedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a submission's other files; it stands last, so that none shadows a real package."""

    def __init__(self, sources: Mapping[str, str]):
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for the names that the submission holds."""
        if name not in self._sources:
            return None
        package = any(other.startswith(f"{name}.") for other in self._sources)
        return importlib.util.spec_from_loader(name, self, is_package=package)

    def exec_module(self, module: types.ModuleType) -> None:
        """Runs the file's source in its module."""
        source = self._sources[module.__name__]
        exec(compile(source, f"<{module.__name__}>", "exec"), module.__dict__)


def forbid(names: Sequence[str]) -> None:
    """Makes each use of an API leave its name; advisory, since student code can undo it."""
    for name in names:
        *path, last = name.split(".")
        owner: Any = torch
        for part in path[1:]:
            owner = getattr(owner, part)
        original = getattr(owner, last)
        if isinstance(original, types.ModuleType):
            continue  # a whole module is looked for in the source only
        if isinstance(original, type):
            constructor = vars(original).get("__init__", object.__init__)
            setattr(original, "__init__", _recorded(constructor, name))  # noqa: B010
        else:
            setattr(owner, last, _recorded(original, name))


def _recorded(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        used_api.append(name)
        return original(*args, **kwargs)

    return recorded


def portable() -> None:
    """Makes explicit float32, CUDA, worker processes and compiling run here.

    In float64 and on the CPU: a right positional encoding written with `.float()` would carry
    errors of 1e-5 otherwise, as large as a wrong epsilon; and there is no GPU in a worker. Data are
    loaded in the process itself, and what is to be compiled is run as it is: no value depends on
    either, and other processes are refused.
    """
    for name in ("_dtype_to_storage_type_map", "_storage_type_to_dtype_map"):
        # Tables by dtype, which saving and loading ask for; made while each dtype is itself.
        getattr(torch.storage, name, _nothing())()
    torch.set_default_dtype(torch.float64)
    changed: Any = torch
    changed.float32 = changed.float = torch.float64
    changed.FloatTensor = torch.DoubleTensor
    changed.compile = _uncompiled
    for name in ("synchronize", "set_device", "empty_cache", "reset_peak_memory_stats"):
        setattr(changed.cuda, name, _nothing())
    for kind in (changed.Tensor, changed.nn.Module):
        kind.float = kind.double
        kind.cuda = _same
    changed.Tensor.share_memory_ = _same
    loader: Any = torch.utils.data.DataLoader
    loader.__init__ = _without_workers(loader.__init__)
    for owner, name, what, kind in REFUSED:
        if not hasattr(owner, name):  # os.fork, where there is none
            continue
        setattr(owner, name, _worded(getattr(owner, name), what, kind))


REFUSED: tuple[tuple[Any, str, str, type[OSError]], ...] = (
    (subprocess.Popen, "__init__", "starting another program", PermissionError),
    (os, "fork", "starting another process", PermissionError),
    (multiprocessing.util, "spawnv_passfds", "starting another process", PermissionError),
    (multiprocessing.synchronize.SemLock, "__init__", "sharing between processes", OSError),
    (socket.socket, "__init__", "a network connection", PermissionError),
    (socket.socket, "connect", "a network connection", PermissionError),
    (socket.socket, "bind", "a network connection", PermissionError),
)
"""What the lock-down refuses, how it is called, and with what; these functions refuse nothing."""


def _worded(original: Callable[..., Any], what: str, refusal: type[OSError]) -> Callable[..., Any]:
    """Says in words what the kernel would not do: "Operation not permitted" helps nobody."""

    @functools.wraps(original)
    def worded(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except refusal as error:
            said = f"{what} is not possible while grading"
            raise PermissionError(error.errno, said) from None

    return worded


def _without_workers(original: Callable[..., None]) -> Callable[..., None]:
    """A DataLoader's constructor that leaves aside whatever goes with worker processes."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def init(*args: Any, **kwargs: Any) -> None:
        arguments = signature.bind(*args, **kwargs).arguments
        if arguments.get("num_workers"):
            for name in ("prefetch_factor", "persistent_workers", "multiprocessing_context"):
                arguments.pop(name, None)
            arguments |= {"num_workers": 0, "timeout": 0}
        original(**arguments)

    return init


def _uncompiled(model: Any = None, **options: Any) -> Any:
    """As `torch.compile`, also as a decorator with options."""
    return _same if model is None else model


def _nothing() -> Callable[..., None]:
    """A function of its own each time: torch's compiler refuses to meet one under two names."""

    def nothing(*args: Any, **kwargs: Any) -> None:
        pass

    return nothing


def _same(self: Any, *args: Any, **kwargs: Any) -> Any:
    return self


WARMING = """
import torch

class Warm(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = torch.nn.Linear(width, width), torch.nn.Linear(width, width)

    def forward(self, x, mask):
        scores = torch.softmax((self.first(x) @ x.transpose(-2, -1)).masked_fill(~mask, -9.0), -1)
        return torch.tanh(self.second(scores @ x)), scores
"""


def warm_up(training: bool) -> None:
    """Pays once, before any fork, for what every job would pay anew.

    A first backward and a first optimiser import much, and code that has run a few times is
    quicker in every child: by a tenth over its first hundred trials.

    Args:
        training: whether an optimiser will be used: it brings in 824 modules, which cost 1.5 s here
            and 6 ms in every fork, so that an assignment without one is spared them.
    """
    namespace, _ = load(WARMING, MODULE)
    weights: dict[str, Any] = {f"{name}.weight": np.eye(3) for name in ("first", "second")}
    weights |= {f"{name}.bias": np.zeros(3) for name in ("first", "second")}
    args = {"x": np.ones((2, 4, 3)), "mask": np.ones((4, 4), bool)}
    trial: dict[str, Any] = {
        "entry": "Warm",
        "config": {"width": 3},
        "weights": weights,
        "mode": "eval",
    }
    trial |= {"calls": [{"args": args, "feed": {}}], "seed": 0, "inputs_back": True}
    trial |= {"cotangents": [np.ones((2, 4, 3)), np.ones((2, 4, 4))]}
    caps = wire.Caps()
    for probe in ("call", "gradients", "describe") * WARM_ROUNDS:
        question = wire.decode(wire.encode({**trial, "probe": probe}), caps)
        wire.encode(answer(question, namespace, caps.payload_bytes))
    forget()
    if training:
        layer = torch.nn.Linear(3, 3)
        optimizer = torch.optim.Adam(layer.parameters())
        loss = torch.nn.functional.cross_entropy(layer(torch.zeros(2, 3)), torch.tensor([0, 1]))
        torch.autograd.backward(loss)
        optimizer.step()


def forget() -> None:
    """Leaves nothing of the warming up where a submission could meet it."""
    del sys.modules[MODULE], linecache.cache[f"<{MODULE}>"]
    forms.fitting.clear()
    probes.instances.forget()


def received(results: socket.socket) -> Iterator[bytes]:
    """The plans that come in sealed files over the socket, until it ends."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(results, 1, 1)
        if not message or not descriptors:
            return
        (descriptor,) = descriptors
        plan = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        os.close(descriptor)
        yield plan


def write_all(descriptor: int, data: bytes) -> None:
    """Writes every byte, however the pipe takes them."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
