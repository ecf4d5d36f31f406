"""A module is used again only where nothing tells it from a new one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from grader.sandbox import probes
from grader.sandbox.questions import trial_tree
from grader.sandbox.worker import answer
from grader.types import Call, Trial

SOURCE = """
import torch
built = 0
class Net(torch.nn.Module):
    def __init__(self, width):
        global built
        built += 1
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(width, width) for _ in range(2)])
        self.register_buffer("table", torch.zeros(width))
        self.last, self.width, self.scale = None, width, torch.ones(1)
        INIT
    def forward(self, x):
        y = self.layers[1](self.layers[0](x)) + self.table + self.scale
        BODY
        return y
"""
X = np.arange(6.0).reshape(2, 3)
WEIGHTS = {
    f"layers.{n}.{name}": np.full(shape, 0.5 + n)
    for n in range(2)
    for name, shape in (("weight", (3, 3)), ("bias", (3,)))
}


def asked_twice(init: str = "pass", body: str = "pass", **second: Any) -> tuple[list[Any], int]:
    """What two trials in a row answer, and how many modules were built for them."""
    probes.instances.forget()
    namespace: dict[str, Any] = {}
    exec(SOURCE.replace("INIT", init).replace("BODY", body), namespace)
    trial: dict[str, Any] = {
        "config": {"width": 3},
        "weights": WEIGHTS,
        "calls": (Call(args={"x": X}),),
        "seed": 5,
    }
    answers = []
    for options in ({}, second):
        tree = trial_tree(Trial(case="c", variant="v", entry="Net", **(trial | options)))
        # As one plan gives them to several trials, of which another follows.
        tree |= {"weights": (trial | options)["weights"], "again": True}
        told = answer(tree, namespace, 10**6)
        assert "error" not in told, told
        answers.append(told["leaves"][0][0]["array"])
    return answers, namespace["built"]


def test_an_untouched_module_is_used_again() -> None:
    (one, two), built = asked_twice()
    assert built == 1 and np.array_equal(one, two)


@pytest.mark.parametrize(
    "body",
    [
        "self.last = y",
        "self.width = 4",
        "self.more = 1",
        "del self.last",
        "self.layers[0].bias = torch.nn.Parameter(torch.zeros(3))",
        "self.layers.append(torch.nn.Linear(3, 3))",
        "self.register_buffer('other', y.detach())",
        "self.layers[1].weight.requires_grad_(False)",
        "self.scale.grad = y.sum().detach()[None]",
        "self.register_forward_hook(lambda *a: None)",
    ],
)
def test_a_module_on_which_a_call_left_something_is_built_anew(body: str) -> None:
    assert asked_twice(body=body)[1] == 2


@pytest.mark.parametrize(
    "body",
    [
        "self.layers[0].weight.data.add_(1)",
        "self.table.data.add_(1)",
        "self.scale.data.add_(1)",
        "with torch.no_grad(): self.table += 1",
    ],
)
def test_values_that_were_written_over_are_those_of_a_new_module(body: str) -> None:
    (one, two), _ = asked_twice(body=body)
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    "init",
    [
        "self.seen = []",
        "self.cache = {}",
        "self.pair = (1, [2])",
        "self.device = object()",
        "self.count = (lambda n: lambda: n)(0)",
        "self.noise = torch.nn.Parameter(torch.rand(3)); self.noise = None",
    ],
)
def test_what_can_change_unseen_or_draws_as_it_is_built_is_built_anew(init: str) -> None:
    assert asked_twice(init=init)[1] == 2


@pytest.mark.parametrize(
    "second",
    [
        {"weights": {name: value.copy() for name, value in WEIGHTS.items()}},
        {"mode": "train"},
    ],
)
def test_other_weights_or_another_mode_is_another_module(second: dict[str, Any]) -> None:
    assert asked_twice(**second)[1] == 2


def test_another_config_is_another_module() -> None:
    wider = {name: np.zeros([4 for _ in value.shape]) for name, value in WEIGHTS.items()}
    second = {"config": {"width": 4}, "weights": wider, "calls": (Call(args={"x": X[:, [0] * 4]}),)}
    (one, two), built = asked_twice(**second)
    assert built == 2 and one.shape != two.shape


def test_a_module_whose_own_tables_are_empty_is_kept_too() -> None:
    made: list[Callable[..., Any]] = [torch.nn.Identity, torch.nn.Sequential]
    for make in made:
        probes.instances.keep((make,), WEIGHTS, module := make())
        assert probes.instances.again((make,), WEIGHTS) is module
