"""How an entry is exercised: what is called, what comes back, and what does not fit."""

import math
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sandbox_jobs import close, trial

from grader.sandbox import forms, probes, wire
from grader.sandbox.questions import trial_tree
from grader.sandbox.values import Misfit
from grader.types import Build, Call, Optimizer, StoredLogits, Trial

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=2, bias=True):
        super().__init__()
        self.first = nn.Linear(width, 3, bias=bias)
        self.unused = nn.Parameter(torch.zeros(2))
    def forward(self, x):
        return self.first(x).tanh()
    def twice(self, x, scale=2.0):
        return scale * self.first(x)

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2, bias=False)
        self.again = self.inner
        self.fixed = nn.Parameter(torch.zeros(3), requires_grad=False)
"""
WEIGHTS = {
    "first.weight": np.arange(6.0).reshape(3, 2) / 10,
    "first.bias": np.array([0.1, -0.2, 0.3]),
    "unused": np.zeros(2),
}
X = np.array([[0.5, -1.0], [2.0, 0.25]])


@pytest.fixture(autouse=True)
def own_torch_defaults() -> Iterator[None]:
    """A probe sets the default dtype; the test process gets its own back."""
    dtype, state = torch.get_default_dtype(), torch.get_rng_state()
    yield
    torch.set_default_dtype(dtype)
    torch.set_rng_state(state)
    torch.set_grad_enabled(True)
    forms.fitting.clear()


def run(source: str, asked: Trial, result_bytes: int = 10**7) -> Any:
    """What the probe gives back, after a trip over the wire each way."""
    namespace: dict[str, Any] = {}
    exec(textwrap.dedent(source), namespace)
    tree = wire.decode(wire.encode(trial_tree(asked)), wire.Caps())
    return wire.decode(wire.encode(probes.run(tree, namespace, result_bytes)), wire.Caps())


def net(*calls: Call, **rest: Any) -> Trial:
    given = {"case": "c", "variant": "base", "entry": "Net", "weights": WEIGHTS, **rest}
    return Trial(calls=calls or (Call(args={"x": X}),), **given)


def misfit(source: str, asked: Trial) -> Misfit:
    with pytest.raises(Misfit) as raised:
        run(source, asked)
    return raised.value


def only(tree: Any) -> Any:
    (call,) = tree["leaves"]
    (leaf,) = call
    return leaf["array"]


# -- call -------------------------------------------------------------------------------------


def test_a_module_gets_the_given_weights_and_runs_in_float64() -> None:
    want = np.tanh(X @ WEIGHTS["first.weight"].T + WEIGHTS["first.bias"])
    got = only(run(NET, net()))
    assert got.dtype == np.float64 and close(got, want)


def test_a_method_entry_is_called_on_the_built_instance() -> None:
    call = Call(args={"x": X, "scale": 3.0})
    want = 3 * (X @ WEIGHTS["first.weight"].T + WEIGHTS["first.bias"])
    assert close(only(run(NET, net(call, entry="Net.twice"))), want)


@pytest.mark.parametrize("entry", ["Nett", "Net.thrice", "Net.first.weight", "torch", "__name__"])
def test_an_entry_that_is_not_there_or_not_callable_is_missing(entry: str) -> None:
    assert misfit(NET, net(entry=entry)).outcome == "missing"


def test_an_entry_of_torch_is_found_by_its_dotted_name() -> None:
    call = Call(args={"input": X})
    entry = "torch.nn.Softmax"
    asked = Trial(case="c", variant="base", entry=entry, config={"dim": -1}, calls=(call,))
    assert close(only(run("", asked)).sum(-1), 1)


def test_calls_share_the_instance_and_a_state_is_fed_on() -> None:
    source = """
    class Counter:
        def __init__(self, start): self.count = start
        def __call__(self, x, state=None):
            self.count += 1
            return x + self.count, (x if state is None else state * 2)
    """
    calls = (Call(args={"x": X}), *[Call(args={"x": X}, feed={"state": 1})] * 2)
    asked = Trial(case="c", variant="v", entry="Counter", config={"start": 10}, calls=calls)
    leaves = run(source, asked)["leaves"]
    assert [close(call[0]["array"], X + n) for call, n in zip(leaves, (11, 12, 13), strict=True)]
    assert close(leaves[2][1]["array"], 4 * X)


@pytest.mark.parametrize("returned", ["x", "(x,)", "None", "{'a': x}"])
def test_a_state_that_was_not_returned_can_not_be_fed(returned: str) -> None:
    calls = (Call(args={"x": X}), Call(args={}, feed={"x": 1}))
    asked = Trial(case="c", variant="v", entry="f", calls=calls)
    wrong = misfit(f"def f(x): return {returned}", asked)
    assert wrong.outcome == "unreadable" and wrong.facts["reason"] == "state"


@pytest.mark.parametrize("signature", ["self", "self, y", "self, x, y", "self, *, z, x"])
def test_a_signature_that_does_not_fit_is_no_error_of_the_body(signature: str) -> None:
    source = f"import torch\nclass Net(torch.nn.Module):\n    def forward({signature}): return 1"
    wrong = misfit(source, net(weights={}))
    assert wrong.outcome == "signature" and wrong.facts["given"] == ["x"]
    assert misfit("class Net:\n    def __init__(self): pass", net(config={"width": 3})).facts[
        "given"
    ] == ["width"]


def test_a_type_error_of_the_body_is_the_students_own() -> None:
    with pytest.raises(TypeError):
        run("def f(x): return len(3)", trial(x=X))


def test_arguments_come_as_they_were_sent() -> None:
    source = """
    import torch
    def f(a, b, c, d, e, g, h):
        assert type(a) is int and type(b) is float and type(c) is bool and d is None
        assert type(e) is tuple and type(e[0]) is torch.Tensor and e[1] == (1, "t")
        assert type(g) is list and g == [1, 2.5] and h.dtype == torch.int64
        return torch.is_grad_enabled(), torch.get_default_dtype() == torch.float64
    """
    sent = {"a": 1, "b": 1.0, "c": True, "d": None, "e": (X, (1, "t")), "g": [1, 2.5]}
    ((grad, default),) = run(source, trial(**sent, h=np.arange(3)))["leaves"]
    assert grad["array"] and default["array"]


def test_an_argument_changed_in_place_comes_back_changed() -> None:
    source = "def f(x, pair):\n    x += 1\n    pair[0].mul_(2)\n    return x.sum()"
    call = Call(args={"x": X, "pair": (X, np.arange(2))})
    asked = Trial(case="c", variant="v", entry="f", calls=(call,), inputs_back=True)
    back = run(source, asked)["inputs"]
    assert close(back["x"], X + 1) and close(back["pair[0]"], 2 * X)
    assert close(back["pair[1]"], [0, 1])
    assert run(source, trial(x=X, pair=(X, X)))["inputs"] == {}


def test_a_numpy_entry_is_given_arrays_of_its_own_and_they_come_back() -> None:
    source = """
    def f(x, pair):
        assert type(x) is type(pair[0]) and type(x).__module__ == "numpy"
        x *= 2
        return x.sum(axis=0)
    """
    call = Call(args={"x": X, "pair": (X, 3)})
    asked = Trial(case="c", variant="v", entry="f", arrays="numpy", calls=(call,), inputs_back=True)
    result = run(source, asked)
    assert close(only(result), (2 * X).sum(0)) and result["leaves"][0][0]["kind"] == "array"
    assert close(result["inputs"]["x"], 2 * X) and close(result["inputs"]["pair[0]"], X)


def test_the_seed_decides_what_is_drawn() -> None:
    def draw(seed: int) -> Any:
        asked = Trial(case="c", variant="v", entry="f", calls=(Call(),), seed=seed)
        return only(run("import torch\ndef f(): return torch.rand(5)", asked))

    assert close(draw(3), draw(3)) and not close(draw(3), draw(4))


def test_dropout_follows_the_mode() -> None:
    source = """
    import torch
    class D(torch.nn.Dropout): pass
    """
    ones = Call(args={"input": np.ones(200)})
    asked = {"case": "c", "variant": "v", "entry": "D", "config": {"p": 0.5}, "calls": (ones,)}
    assert only(run(source, Trial(**asked, mode="eval"))).min() == 1
    assert only(run(source, Trial(**asked, mode="train"))).min() == 0


# -- weights ----------------------------------------------------------------------------------


def test_weights_that_do_not_fit_are_named_with_their_shapes() -> None:
    weights = {"first.weight": np.zeros((3, 5)), "first.scale": np.zeros(1), "unused": np.zeros(2)}
    wrong = misfit(NET, net(weights=weights))
    assert wrong.outcome == "mismatch"
    assert wrong.facts == {
        "entry": "Net",
        "missing": ["first.scale (1,)"],
        "unexpected": ["first.bias (3,)"],
        "misshapen": [["first.weight", [3, 5], [3, 2]]],
    }


def test_the_layers_keep_their_own_initial_values_where_none_are_given() -> None:
    reset = torch.nn.Linear.reset_parameters
    assert np.abs(only(run(NET, net(weights=None)))).max() > 0
    run(NET, net())
    assert torch.nn.Linear.reset_parameters is reset


def test_describe_names_shared_frozen_and_plain_parameters() -> None:
    asked = Trial(case="c", variant="v", entry="Tied", probe="describe")
    assert run(NET, asked)["parameters"] == [
        {"name": "fixed", "shape": [3], "trainable": False, "same_as": ""},
        {"name": "inner.weight", "shape": [2, 2], "trainable": True, "same_as": ""},
        {"name": "again.weight", "shape": [2, 2], "trainable": True, "same_as": "inner.weight"},
    ]
    function = Trial(case="c", variant="v", entry="f", probe="describe")
    assert run("def f(): 1/0", function) == {"parameters": []}


# -- gradients --------------------------------------------------------------------------------


def test_gradients_are_those_of_the_contracted_outputs() -> None:
    cotangent = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    got = run(NET, net(probe="gradients", cotangents=(cotangent,)))["gradients"]
    hidden = np.tanh(X @ WEIGHTS["first.weight"].T + WEIGHTS["first.bias"])
    back = cotangent * (1 - hidden**2)
    assert got.keys() == {"x", *WEIGHTS} and got["unused"] is None
    assert close(got["x"], back @ WEIGHTS["first.weight"])
    assert close(got["first.weight"], back.T @ X) and close(got["first.bias"], back.sum(0))


@pytest.mark.parametrize("body", ["x.detach()", "x.data * 2", "torch.tensor(x.tolist())"])
def test_a_gradient_that_is_cut_is_absent(body: str) -> None:
    asked = Trial(
        case="c",
        variant="v",
        entry="f",
        probe="gradients",
        calls=(Call(args={"x": X, "n": np.arange(2)}),),
        cotangents=(X,),
    )
    assert run(f"import torch\ndef f(x, n): return {body}", asked)["gradients"] == {"x": None}


@pytest.mark.parametrize("returned", ["x.sum()", "x[0]", "(x, x)", "None", "x.long()", "[]"])
def test_outputs_that_no_cotangent_fits_can_not_be_differentiated(returned: str) -> None:
    call = Call(args={"x": X})
    asked = Trial(
        case="c", variant="v", entry="f", probe="gradients", calls=(call,), cotangents=(X,)
    )
    wrong = misfit(f"def f(x): return {returned}", asked)
    assert wrong.outcome == "unreadable" and wrong.facts["reason"] == "outputs"


def steps_of(names: tuple[str, ...]) -> dict[str, Any]:
    generator = np.random.RandomState(0)
    given = {"x": X, **WEIGHTS}
    return {name: 1e-6 * generator.standard_normal(given[name].shape) for name in names}


def test_slopes_are_those_of_the_gradients() -> None:
    cotangent = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    steps = steps_of(("x", "first.weight", "first.bias", "unused"))
    slopes = run(NET, net(probe="slopes", cotangents=(cotangent,), steps=steps))["gradients"]
    gradients = run(NET, net(probe="gradients", cotangents=(cotangent,)))["gradients"]
    assert slopes.keys() == steps.keys() and slopes["unused"] == 0
    for name in ("x", "first.weight", "first.bias"):
        expected = 2 * (gradients[name] * steps[name]).sum()
        assert slopes[name] == pytest.approx(expected, rel=1e-6)


def test_a_state_that_is_kept_is_not_taken_for_a_slope() -> None:
    source = NET.replace(
        "return self.first(x).tanh()",
        "self.k = getattr(self, 'k', 0) + 1\n        return self.first(x).tanh() * self.k",
    )
    asked = net(probe="slopes", cotangents=(np.ones((2, 3)),), steps=steps_of(("x",)))
    assert run(source, asked)["gradients"] == {}


# -- arguments that the worker makes ----------------------------------------------------------


def test_an_optimizer_updates_the_parameters_of_another_argument() -> None:
    source = NET + (
        "def step(model, optimizer, x):\n"
        "    assert not model.unused.requires_grad and model.training\n"
        "    model(x).sum().backward()\n"
        "    optimizer.step()\n"
        "    return model.first.bias\n"
    )
    model = Build(name="Net", weights=WEIGHTS, mode="train", frozen=("unused",))
    optimizer = Optimizer(name="Adam", of="model", config={"lr": 0.25, "betas": (0.5, 0.75)})
    call = Call(args={"model": model, "optimizer": optimizer, "x": X})
    leaves = run(source, Trial(case="c", variant="v", entry="step", calls=(call, call)))["leaves"]
    first, second = (call[0]["array"] for call in leaves)
    assert np.allclose(np.abs(first - WEIGHTS["first.bias"]), 0.25, atol=1e-6)
    assert not close(first, second)


def test_stored_logits_answer_by_row_position_and_token() -> None:
    table = np.arange(2 * 3 * 4 * 4, dtype=float).reshape(2, 3, 4, 4)
    source = "def f(model, source, target): return model(source, target), model.pad"
    target = np.array([[3, 1], [0, 2]])
    for mode, sign in (("eval", 1), ("train", -1)):
        model = StoredLogits(table=table, pad=3, mode=mode)
        sent = {"model": model, "source": np.array([[1, 0], [0, 3]]), "target": target}
        ((logits, pad),) = run(source, trial(**sent))["leaves"]
        want = [[table[1, 0, 3], table[1, 1, 1]], [table[0, 0, 0], table[0, 1, 2]]]
        assert close(logits["array"], sign * np.array(want)) and pad["array"] == 3


# -- what may be returned ---------------------------------------------------------------------

RETURNED: dict[str, tuple[str, list[tuple[str, str, str, Any]]]] = {
    "tensor": ("torch.ones(2)", [("", "tensor", "float64", [1, 1])]),
    "tuple": ("(1, (True, None))", [("[0]", "number", "int64", 1), ("[1][0]", "bool", "bool", 1),
              ("[1][1]", "none", "", None)]),
    "list of numbers": ("[1, 2.5]", [("", "array", "float64", [1, 2.5])]),
    "list of tensors": ("[torch.ones(1)]", [("[0]", "tensor", "float64", [1])]),
    "dict": ("{'a': 1, 2: 'b'}", [("['a']", "number", "int64", 1), ("['2']", "text", "", "b")]),
    "nothing": ("None", [("", "none", "", None)]),
    "empty": ("()", []),
    "text": ("'words'", [("", "text", "", "words")]),
    "float": ("float('inf')", [("", "number", "float64", math.inf)]),
    "NaN": ("torch.tensor([float('nan'), float('-inf')])",
            [("", "tensor", "float64", [math.nan, -math.inf])]),
    "huge integer": ("2**63", [("", "other", "", "int")]),
    "negative integer": ("-7", [("", "number", "int64", -7)]),
    "NumPy": ("np.arange(3)[::-1]", [("", "array", "int64", [2, 1, 0])]),
    "NumPy transposed": ("np.ones((2, 3), '>f8').T", [("", "array", "float64", np.ones((3, 2)))]),
    "NumPy half": ("np.full(2, 0.1, 'float16')", [("", "array", "float16", [0.0999755859375] * 2)]),
    "NumPy scalar": ("np.float64(0.5)", [("", "array", "float64", 0.5)]),
    "NumPy bool": ("np.bool_(True)", [("", "array", "bool", True)]),
    "NumPy complex": ("np.ones(2) * 1j", [("", "other", "", "complex128 array")]),
    "NumPy object": ("np.array([None])", [("", "other", "", "object array")]),
    "half": ("torch.full((2,), 0.5).half()", [("", "tensor", "float16", [0.5, 0.5])]),
    "bfloat16": ("torch.ones(1).bfloat16()", [("", "tensor", "bfloat16", [1])]),
    "integers": ("torch.arange(3)", [("", "tensor", "int64", [0, 1, 2])]),
    "mask": ("torch.ones(1) > 0", [("", "tensor", "bool", [True])]),
    "parameter": ("torch.nn.Parameter(torch.ones(1))", [("", "tensor", "float64", [1])]),
    "transposed": ("torch.ones(2, 3).t()", [("", "tensor", "float64", np.ones((3, 2)))]),
    "conjugated": ("torch.ones(1).conj()", [("", "tensor", "float64", [1])]),
    "complex": ("torch.ones(1) * 1j", [("", "other", "", "strided, cpu, complex128 tensor")]),
    "sparse": ("torch.eye(2).to_sparse()", [("", "other", "", "sparse_coo, cpu, float64 tensor")]),
    "meta": ("torch.ones(2, device='meta')", [("", "other", "", "strided, meta, float64 tensor")]),
    "object": ("object()", [("", "other", "", "object")]),
    "unpicklable": ("(lambda: 1)", [("", "other", "", "function")]),
    "set": ("{1, 2}", [("", "other", "", "set")]),
    "generator": ("(n for n in [1])", [("", "other", "", "generator")]),
    "module": ("torch.nn.Identity()", [("", "other", "", "Identity")]),
}  # fmt: skip


@pytest.mark.parametrize("body, want", RETURNED.values(), ids=RETURNED)
def test_what_is_returned_is_read_by_its_kind(body: str, want: Any) -> None:
    source = f"import numpy as np, torch\ndef f(): return {body}"
    (got,) = run(source, trial())["leaves"]
    assert len(got) == len(want)
    for leaf, (path, kind, dtype, content) in zip(got, want, strict=True):
        assert (leaf["path"], leaf["kind"], leaf["dtype"]) == (path, kind, dtype)
        if leaf["array"] is None:
            assert leaf["text"] == (content or "")
        else:
            assert leaf["array"].shape == np.shape(content) and close(leaf["array"], content)
            assert leaf["array"].dtype.name in ("float64", "int64", "bool")


@pytest.mark.parametrize(
    "body",
    [
        "torch.ones(1).expand(10**9 + 10**8)",
        "torch.ones(1, dtype=torch.int8).expand(10**10)",
        "np.broadcast_to(np.ones(1), (10**5, 10**5))",
        "np.broadcast_to(np.ones(1), (10**5, 10**5))[::-1]",
        "np.broadcast_to(np.ones(1, '>f4'), 10**10)",
        "[0] * 300 + [None]",
        "[torch.ones(1)] * 10_000",
        "(lambda many: (many.extend([many] * 3), many)[1])([])",
    ],
)
def test_what_is_too_large_is_refused_before_it_is_copied(body: str) -> None:
    wrong = misfit(f"import numpy as np, torch\ndef f(): return {body}", trial())
    assert wrong.outcome == "unreadable" and wrong.facts["reason"].startswith("too ")
