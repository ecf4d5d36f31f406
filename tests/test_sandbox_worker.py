"""What a child makes of a submission: loading, raising, forbidden API, hostile values."""

import sys
from typing import Any

import numpy as np
import pytest
from sandbox_jobs import TIGHT, ask, close, outcomes, trial, value

from grader.sandbox import probes, wire, worker
from grader.sandbox.questions import plan_tree
from grader.sandbox.runner import Runner
from grader.types import Outcome, RawOutput

OK, RAISED, TIMEOUT, DIED = Outcome.OK, Outcome.RAISED, Outcome.TIMEOUT, Outcome.DIED


def error(output: RawOutput) -> tuple[str, str, int | None]:
    assert output.outcome is RAISED and output.error is not None, output
    return output.error.type, output.error.message, output.error.line


# -- loading ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, kind, line",
    [
        ("x = 1\n1 / 0", "ZeroDivisionError", 2),
        ("x = 1\ndef f(:", "SyntaxError", 2),
        ("if x:\ny", "IndentationError", 2),
        ("\n\nraise SystemExit(0)", "SystemExit", 3),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", 1),
        ("def g(): g()\ng()", "RecursionError", 1),
        ("import no_such_module", "ModuleNotFoundError", 1),
        ("x = '\0'", "SyntaxError", None),
        ("import json\njson.loads('{')", "JSONDecodeError", 2),
        ("# \ud800", "UnicodeEncodeError", None),
    ],
)
def test_what_stops_the_load_stops_every_trial_alike(
    runner: Runner, source: str, kind: str, line: int | None
) -> None:
    first, second = ask(runner, source, "f", "g")
    if kind != "SyntaxError" or line:
        assert (error(first)[0], error(first)[2]) == (kind, line)
    assert first == second and first.outcome is RAISED


def test_a_source_full_of_brackets_is_run_all_the_same(runner: Runner) -> None:
    source = f"text = '{'[{' * 500}'\ndef f(): return len(text)"
    assert value(ask(runner, source)[0]) == 1000
    assert error(ask(runner, "(" * 90 + "[" * 90)[0])[0] == "SyntaxError"


def test_a_module_that_is_not_there_is_named(runner: Runner) -> None:
    (output,) = ask(runner, "def f():\n    import no_such_module.inner")
    assert output.facts == {"module": "no_such_module"}


def test_other_files_of_a_submission_are_imported_and_shadow_nothing(runner: Runner) -> None:
    modules = {"mine": "import math\nX = 7", "sched": "X = 1", "torch": "1/0", "bad": "1/0"}
    source = """
    import mine, sched, torch
    def f(): return mine.X, hasattr(sched, "scheduler"), hasattr(torch, "nn")
    def g(): import bad
    """
    got, failed = ask(runner, source, "f", "g", modules=modules)
    assert [leaf.array for leaf in got.leaves[0]] == [7, True, True]
    assert error(failed) == ("ZeroDivisionError", "division by zero", 4)


def test_source_can_be_looked_up_by_what_compiles_it(runner: Runner) -> None:
    source = "import inspect\ndef f(): return inspect.getsource(f)"
    assert "getsource" in value(ask(runner, source)[0])


# -- raising ----------------------------------------------------------------------------------

RAISES = {
    "an error": ("1 / 0", "ZeroDivisionError"),
    "SystemExit": ("raise SystemExit", "SystemExit"),
    "sys.exit": ("import sys; sys.exit(3)", "SystemExit"),
    "exit": ("exit()", "SystemExit"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": ("return f(which)", "RecursionError"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "hostile text": ("raise Hostile", "Hostile"),
    "text that exits": ("raise Exits", "Exits"),
    "long text": ("raise ValueError('x' * 10**7)", "ValueError"),
    "surrogates": ("raise ValueError('\\ud800' * 9)", "ValueError"),
    "brackets": ("raise ValueError('[{' * 900)", "ValueError"),
    "a name of no text": ("raise type('N' * 999, (Exception,), {})", "N" * 80),
    "a cause without end": ("e = ValueError(); e.__cause__ = e; raise e", "ValueError"),
    "unreadable module": ("e = ModuleNotFoundError(); e.name = [1]; raise e",
                          "ModuleNotFoundError"),
}  # fmt: skip
HOSTILE = """
class Hostile(Exception):
    def __str__(self): raise RuntimeError
    __repr__ = __str__
class Exits(Exception):
    def __str__(self): raise SystemExit
"""


def test_what_is_raised_is_said_and_costs_its_trial_only(runner: Runner) -> None:
    source = HOSTILE + "def good(): return 1\n" + "def f(which):\n"
    source += "".join(
        f"    if which == {number}:\n        {body}\n"
        for number, (body, _) in enumerate(RAISES.values())
    )
    asked = [each for n in range(len(RAISES)) for each in (trial("f", which=n), "good")]
    outputs = ask(runner, source, *asked)
    assert [value(output) for output in outputs[1::2]] == [1] * len(RAISES)
    for (_, kind), output in zip(RAISES.values(), outputs[::2], strict=True):
        got, message, line = error(output)
        assert got == kind and len(message) <= 2000 and line is not None
        message.encode()


def test_an_error_is_placed_at_the_last_line_of_the_submission(runner: Runner) -> None:
    source = "import torch\ndef g():\n    return torch.ones(2) @ torch.ones(3)\ndef f():\n    g()"
    assert error(ask(runner, source)[0])[2] == 3


# -- hostile values ---------------------------------------------------------------------------

VALUES = """
import torch

class Raising:
    def __str__(self): raise RuntimeError
    __repr__ = __len__ = __iter__ = __bool__ = __eq__ = __hash__ = __float__ = __array__ = __str__
class RaisingClass:
    @property
    def __class__(self): raise RuntimeError
class LyingClass:
    __class__ = torch.Tensor
class Items(list):
    def __iter__(self): raise RuntimeError
class Endless(list):
    def __iter__(self):
        while True: yield []
class EndlessClass:
    @property
    def __class__(self):
        while True: pass
class Key(str):
    def __str__(self): raise RuntimeError
class Text(str):
    def __getitem__(self, key): return 3
class Number(int):
    def __abs__(self): raise RuntimeError
class Meta(type):
    @property
    def __name__(cls): return 3
class Named(metaclass=Meta): pass

class Wrapped(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(func)
class Lying(torch.Tensor):
    shape = (10**9, 10**9)
    def numel(self): return 1
    def size(self, *_): return (1,)
    def detach(self): return "no tensor"
class Liar(torch.Tensor):
    @property
    def shape(self): return (7, 7)
class Honest(torch.Tensor): pass

def raising(): return Raising(), [Raising()]
def raising_class(): return RaisingClass()
def lying_class(): return LyingClass()
def items(): return Items([1, 2])
def endless(): return Endless()
def endless_class(): return EndlessClass()
def key(): return {Key("a"): 1}
def text(): return Text("a")
def number(): return Number(3)
def named(): return Named()
def wrapped(): return torch.ones(2).as_subclass(Wrapped)
def lying(): return torch.ones(2).as_subclass(Lying)
def liar(): return torch.ones(2).as_subclass(Liar)
def honest(): return torch.ones(2).as_subclass(Honest)
def loop():
    x = []
    x.append(x)
    return x
def fan():
    x = []
    x.extend([x] * 9)
    return x
def deep():
    x = 1
    for _ in range(100_000): x = (x,)
    return x
def quantised():
    import warnings; warnings.simplefilter("ignore")
    return torch.quantize_per_tensor(torch.ones(2).to(torch.float64).type(torch.FloatTensor), 1, 0,
                                     torch.qint8)
def freed():
    x = torch.ones(2)
    x.untyped_storage().resize_(0)
    return x
def fine(): return 5
"""
ENTRIES = [line[4:-1].split("(")[0] for line in VALUES.splitlines() if line.startswith("def ")]


def test_a_hostile_value_costs_its_trial_only(runner: Runner) -> None:
    asked = [each for name in ENTRIES for each in (name, "fine")]
    outputs = ask(runner, VALUES, *asked, limits=TIGHT)
    assert [value(output) for output in outputs[1::2]] == [5] * len(ENTRIES)
    got = dict(zip(ENTRIES, outputs[::2], strict=True))
    assert Outcome.BROKEN not in outcomes(outputs)
    for name in ("endless", "endless_class"):
        assert got.pop(name).outcome is TIMEOUT
    for name in ("raising", "lying_class", "loop", "deep"):
        kinds = {leaf.kind for leaf in got[name].leaves[0]} if got[name].outcome is OK else set()
        assert kinds <= {"other"}
    assert close(value(got["honest"]), 1) and value(got["fine"]) == 5
    assert got["fan"].facts["reason"] == "too many values"
    for name in ("raising_class", "items", "key"):
        assert error(got[name])[0] == "RuntimeError"
    for output in got.values():
        assert output.outcome in (OK, RAISED, DIED, Outcome.UNREADABLE)
        for leaf in output.leaves[0] if output.leaves else ():
            assert leaf.array is None or leaf.array.size <= 2


# -- portable ---------------------------------------------------------------------------------


def test_float32_and_cuda_run_here_in_float64(runner: Runner) -> None:
    source = """
    import torch
    third = torch.tensor(1.0) / 3
    def f():
        return [
            third, third.float(), third.to(torch.float32), torch.ones(1, dtype=torch.float) / 3,
            torch.FloatTensor([1]) / 3, third.cuda().type(torch.float32),
            torch.nn.Linear(1, 1).float().cuda().weight * 0 + 1 / 3, torch.arange(1, 2.0) / 3,
        ]
    """
    (output,) = ask(runner, source)
    assert len(output.leaves[0]) == 8
    for leaf in output.leaves[0]:
        assert leaf.dtype == "float64" and close(leaf.array, 1 / 3)


def test_what_a_trial_sets_does_not_reach_the_next(runner: Runner) -> None:
    source = """
    import torch
    def f():
        drawn = torch.rand(3)
        torch.set_default_dtype(torch.float16)
        torch.manual_seed(9)
        torch.set_grad_enabled(False)
        return drawn, torch.is_grad_enabled()
    def g(): return torch.rand(3), (torch.ones(1, requires_grad=True) * 2).requires_grad
    """
    first, second, third = ask(runner, source, "f", "g", "f")
    drawn = [output.leaves[0][0] for output in (first, second, third)]
    assert {leaf.dtype for leaf in drawn} == {"float64"}
    assert all(close(leaf.array, drawn[0].array) for leaf in drawn)
    assert second.leaves[0][1].array


PATCHES = [
    "json.dumps = None",
    "json.dumps = lambda *a, **k: 'nonsense'",
    "json.dumps = lambda *a, **k: '[' * 100",
    "np.asarray = np.array = np.ascontiguousarray = None",
    "np.array = lambda *a, **k: None",
    "torch.Tensor.detach = torch.Tensor.numpy = None",
    "torch.Tensor.numpy = lambda self: self",
    "torch.set_default_dtype = torch.default_generator = None",
    "os._exit = os.write = None",
    "os._exit = lambda code: None",
    "sys.stdout = sys.stderr = None",
    "sys.stdout = 3",
    "sys.exit = isinstance = None",
    "import builtins; builtins.isinstance = None",
    "import builtins; builtins.len = lambda x: 0",
    "sys.modules.clear()",
    "sys.setrecursionlimit(5)",
    "import gc; [d.clear() for d in gc.get_objects() if type(d) is dict and 'work' in d]",
    "import atexit; atexit.register(lambda: 1/0)",
    "sys.settrace(lambda *a: 1/0)",
    "import signal; signal.alarm(1); signal.signal(signal.SIGALRM, lambda *a: 1/0)",
    "import threading; threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()",
]


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patched_library_harms_its_own_submission_only(runner: Runner, patch: str) -> None:
    source = f"import json, os, sys\nimport numpy as np, torch\n{patch}\ndef f(): return 1"
    outputs = ask(runner, source, "f", "f", limits=TIGHT)
    assert Outcome.BROKEN not in outcomes(outputs)
    bystander = ask(runner, "import torch\ndef f(): return torch.ones(2)")
    assert close(value(bystander[0]), 1)


# -- forbidden API ----------------------------------------------------------------------------


def test_forbidden_api_is_recorded_where_it_is_called(runner: Runner) -> None:
    source = """
    import torch
    from torch.nn import LSTM as Hidden
    import torch.nn.functional as F
    class Sub(Hidden): pass
    def f(): Hidden(1, 1); Hidden(1, 1)
    def g(): return F.softmax(torch.zeros(2), -1)
    def h(): return torch.zeros(2).tanh()
    def s(): Sub(1, 1); return 1 / 0
    """
    forbidden = ["torch.nn.LSTM", "torch.nn.functional.softmax", "torch.nn.GRU"]
    used = [each.used for each in ask(runner, source, *"fghs", forbidden=forbidden)]
    assert used == [("torch.nn.LSTM",), ("torch.nn.functional.softmax",), (), ("torch.nn.LSTM",)]


def test_a_forbidden_class_still_works(runner: Runner) -> None:
    source = "import torch\ndef f(): return torch.nn.Linear(2, 3, bias=False)(torch.ones(1, 2))"
    (output,) = ask(runner, source, forbidden=["torch.nn.Linear"])
    assert value(output).shape == (1, 3) and output.used == ("torch.nn.Linear",)


# -- in this process --------------------------------------------------------------------------


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, worker.MODULE, raising=False)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "source, said",
    [
        (
            "def f(x): return x",
            [{"ready"}, {"loaded"}, {"leaves", "inputs"}, {"misfit", "facts"}, {"done"}],
        ),
        ("1 / 0", [{"ready"}, {"loaded", "error"}]),
    ],
)
def test_a_worker_says_ready_then_loaded_then_one_frame_for_each_trial(
    source: str, said: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes.torch, "set_default_dtype", lambda dtype: None)
    job = {"source": source, "modules": {}, "forbidden": [], "result_bytes": 1000}
    plan = plan_tree((trial("f", x=np.ones(2)), trial("g")))
    sent: list[Any] = []
    worker.work(
        wire.encode(job),
        [wire.encode(plan)],
        lambda frame: sent.append(wire.decode(frame, wire.Caps())),
    )
    assert [set(frame) - {"used", "microseconds"} for frame in sent] == said
